import { epcDeviceId, epcDeviceIndex, MAX_EPC_DEVICES } from "./device-ids.ts";

/**
 * Which `size` of the free devices one container should get: those it must have, then as many as possible of one NUMA
 * node (spec: Kubernetes §1.3, 8). The same question always has the same answer, whatever the order of the ids in it.
 * Ids that are not ours or not published (`numaNode` undefined) are left out. All that there are, when fewer than `size`.
 */
export function preferAllocation(
  available: readonly string[],
  mustInclude: readonly string[],
  size: number,
  numaNode: (index: number) => number | undefined,
): readonly string[] {
  const free = new Uint8Array(MAX_EPC_DEVICES);
  const chosen: number[] = [];
  const freeOf = new Map<number, number>();
  const chosenOf = new Map<number, number>();
  const add = (counts: Map<number, number>, node: number, by: number) => counts.set(node, (counts.get(node) ?? 0) + by);
  for (const id of available) {
    const index = epcDeviceIndex(id);
    const node = index === undefined ? undefined : numaNode(index);
    if (index === undefined || node === undefined || free[index] === 1) continue;
    free[index] = 1;
    add(freeOf, node, 1);
  }
  const taken = new Set<number>();
  for (const id of mustInclude) {
    const index = epcDeviceIndex(id);
    const node = index === undefined ? undefined : numaNode(index);
    if (index === undefined || node === undefined || taken.has(index)) continue;
    taken.add(index);
    chosen.push(index);
    add(chosenOf, node, 1);
    if (free[index] === 1) add(freeOf, node, -1);
    free[index] = 0;
  }
  let left = size - chosen.length;
  for (const node of nodeOrder(left, freeOf, chosenOf)) {
    for (let index = 0; left > 0 && index < MAX_EPC_DEVICES; index++) {
      if (free[index] !== 1 || numaNode(index) !== node) continue;
      chosen.push(index);
      left--;
    }
  }
  return chosen.map(epcDeviceId);
}

/**
 * Where the container has devices already comes first; else the node where it fits most closely, which keeps larger
 * holes for larger containers; else the one with the most.
 */
function nodeOrder(size: number, freeOf: ReadonlyMap<number, number>, chosenOf: ReadonlyMap<number, number>): number[] {
  const rank = ([node, free]: readonly [number, number]) => {
    const fits = free >= size;
    return [-(chosenOf.get(node) ?? 0), fits ? 0 : 1, fits ? free : -free, node] as const;
  };
  return [...freeOf]
    .map((entry) => ({ node: entry[0], rank: rank(entry) }))
    .sort((a, b) => {
      for (let i = 0; i < 4; i++) {
        const difference = (a.rank[i] as number) - (b.rank[i] as number);
        if (difference !== 0) return difference;
      }
      return 0;
    })
    .map(({ node }) => node);
}
