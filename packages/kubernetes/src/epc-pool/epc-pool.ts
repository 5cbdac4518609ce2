import { epcDeviceIndex, MAX_EPC_DEVICES } from "./device-ids.ts";

/** EPC of one NUMA node in whole MiB. */
export interface NumaMiB {
  readonly node: number;
  readonly mib: number;
}

export interface EpcPoolOptions {
  /** How long an id that was given out counts as held although the kubelet's list does not name it yet; milliseconds. */
  readonly grantGraceMs?: number;
}

const UNPUBLISHED = -1;
const DEFAULT_GRANT_GRACE_MS = 10_000;

/**
 * Which EPC devices exist and which are held. One device is one MiB; its number is its identity for as long as anybody
 * holds it. The kubelet alone decides who gets which: this only knows what it said, and sees to it that an id which is
 * held stays in the list, that no more ids are listed than there is EPC (unless more are held), and that none is twice.
 */
export class EpcPool {
  /** NUMA node of each published device. */
  readonly #node = new Int16Array(MAX_EPC_DEVICES).fill(UNPUBLISHED);
  /** 1 for devices that the kubelet's list names as held. */
  readonly #listed = new Uint8Array(MAX_EPC_DEVICES);
  /** When a device was given out by Allocate; until the kubelet's list can be expected to name it. */
  readonly #granted = new Map<number, number>();
  readonly #graceMs: number;
  #total = 0;
  #published = 0;
  #held = 0;
  #unhealthyFrom = MAX_EPC_DEVICES;
  /** Above every device that was ever published or held: what is to be looked through. */
  #end = 0;

  constructor(options: EpcPoolOptions = {}) {
    this.#graceMs = options.grantGraceMs ?? DEFAULT_GRANT_GRACE_MS;
  }

  /** MiB of EPC that the node has. */
  get total(): number {
    return this.#total;
  }

  get published(): number {
    return this.#published;
  }

  get held(): number {
    return this.#held;
  }

  /** Held devices for which there is no EPC any more. */
  get excess(): number {
    return Math.max(0, this.#held - this.#total);
  }

  has(index: number): boolean {
    return index >= 0 && index < MAX_EPC_DEVICES && this.#node[index] !== UNPUBLISHED;
  }

  isHeld(index: number): boolean {
    return this.#listed[index] === 1 || this.#granted.has(index);
  }

  /** False for the held devices with the highest numbers when more are held than there is EPC. */
  isBacked(index: number): boolean {
    return index < this.#unhealthyFrom || !this.isHeld(index);
  }

  /** NUMA node of a published device. */
  numaNode(index: number): number {
    return this.#node[index] as number;
  }

  /** Published devices in ascending order. */
  *indexes(): Generator<number> {
    for (let index = 0, left = this.#published; left > 0; index++) {
      if (this.#node[index] === UNPUBLISHED) continue;
      left--;
      yield index;
    }
  }

  /** Notes that Allocate gave these devices out at `now`. */
  grant(indexes: Iterable<number>, now: number): void {
    for (const index of indexes) {
      this.#reach(index);
      if (!this.isHeld(index)) this.#held++;
      this.#granted.set(index, now);
    }
  }

  /**
   * Another size of EPC, or another list of what the kubelet's containers hold (`undefined`: it could not be asked, what
   * was known stays), asked for at `observedAt`. Returns whether the published devices changed. Free devices leave
   * first, those with the highest numbers first; growth adds the lowest free numbers.
   */
  resize(nodes: readonly NumaMiB[], heldIds: Iterable<string> | undefined, observedAt: number): boolean {
    const targets = new Map<number, number>();
    for (const { node, mib } of nodes) targets.set(node, (targets.get(node) ?? 0) + mib);
    const total = [...targets.values()].reduce((sum, mib) => sum + mib, 0);
    if (total > MAX_EPC_DEVICES) {
      throw new RangeError(`${total} MiB of EPC are more than the ${MAX_EPC_DEVICES} that have ids`);
    }
    const before = this.#node.slice(0, this.#end);
    const unhealthyBefore = this.#unhealthyFrom;
    this.#total = total;
    if (heldIds !== undefined) this.#observe(heldIds, observedAt);
    const counts = this.#publishHeld(targets);
    for (const [node, count] of counts) this.#withdraw(count - (targets.get(node) ?? 0), node, counts);
    for (const [node, mib] of targets) this.#publish(mib - (counts.get(node) ?? 0), node, counts);
    // Devices that are held beyond one node's EPC take the place of free ones elsewhere.
    this.#withdraw(this.#published - Math.max(this.#total, this.#held), undefined, counts);
    this.#unhealthyFrom = this.#firstUnbacked();
    const more = this.#node.subarray(before.length, this.#end).some((node) => node !== UNPUBLISHED);
    return more || unhealthyBefore !== this.#unhealthyFrom || before.some((node, index) => node !== this.#node[index]);
  }

  #reach(index: number): void {
    if (index >= this.#end) this.#end = index + 1;
  }

  #observe(heldIds: Iterable<string>, observedAt: number): void {
    this.#listed.fill(0, 0, this.#end);
    for (const [index, at] of this.#granted) if (at + this.#graceMs <= observedAt) this.#granted.delete(index);
    this.#held = this.#granted.size;
    for (const id of heldIds) {
      const index = epcDeviceIndex(id);
      if (index === undefined || this.#listed[index] === 1) continue;
      this.#reach(index);
      if (!this.#granted.has(index)) this.#held++;
      this.#listed[index] = 1;
    }
  }

  /** Publishes what is held and was not known (the plugin was restarted), and counts the devices of each NUMA node. */
  #publishHeld(targets: ReadonlyMap<number, number>): Map<number, number> {
    const counts = new Map<number, number>();
    for (let index = 0; index < this.#end; index++) {
      if (this.#node[index] === UNPUBLISHED) {
        if (!this.isHeld(index)) continue;
        this.#node[index] = nodeOfFirstLayout(index, targets);
        this.#published++;
      }
      const node = this.#node[index] as number;
      counts.set(node, (counts.get(node) ?? 0) + 1);
    }
    return counts;
  }

  #withdraw(count: number, node: number | undefined, counts: Map<number, number>): void {
    for (let index = this.#end - 1, left = count; left > 0 && index >= 0; index--) {
      const its = this.#node[index] as number;
      if (its === UNPUBLISHED || (node !== undefined && its !== node) || this.isHeld(index)) continue;
      this.#node[index] = UNPUBLISHED;
      this.#published--;
      counts.set(its, (counts.get(its) as number) - 1);
      left--;
    }
  }

  #publish(count: number, node: number, counts: Map<number, number>): void {
    for (let index = 0, left = count; left > 0 && index < MAX_EPC_DEVICES; index++) {
      if (this.#node[index] !== UNPUBLISHED) continue;
      this.#reach(index);
      this.#node[index] = node;
      this.#published++;
      counts.set(node, (counts.get(node) ?? 0) + 1);
      left--;
    }
  }

  #firstUnbacked(): number {
    let left = this.excess;
    if (left === 0) return MAX_EPC_DEVICES;
    for (let index = this.#end - 1; index >= 0; index--) {
      if (this.isHeld(index) && --left === 0) return index;
    }
    return 0;
  }
}

/** Where a device would be if the nodes' devices were numbered one node after the other, as they are at first. */
function nodeOfFirstLayout(index: number, targets: ReadonlyMap<number, number>): number {
  let last = 0;
  let end = 0;
  for (const [node, mib] of targets) {
    last = node;
    end += mib;
    if (index < end) return node;
  }
  return last;
}
