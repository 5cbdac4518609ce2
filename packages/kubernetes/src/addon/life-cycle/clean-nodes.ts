import type { Clock } from "../../clock.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { reference } from "../object-reference.ts";
import { NODES } from "../resource-kinds.ts";
import type { Progress } from "./life-cycle-options.ts";
import { bearsOurSign, nodeTraces } from "./node-traces.ts";
import { waitUntil } from "./wait-until.ts";

const LOOK_EVERY = 2_000;

export interface CleanNodesOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Until when to wait for the kubelets, of the clock; null: not at all. */
  readonly deadline: number | null;
}

/** A resource that a kubelet still shows. */
export interface LeftOnNode {
  readonly node: string;
  readonly resources: readonly string[];
}

/** Whether any node shows what only this project writes. */
export async function anyTraces(access: ClusterAccess): Promise<boolean> {
  return (await access.list(NODES)).some(bearsOurSign);
}

/**
 * Takes labels, annotation, counters and ended device resources off the nodes, and waits for the kubelets to let go of the
 * others. Resolves with what is still shown at the deadline; a device resource that never ends is another plugin's.
 */
export async function cleanNodes(options: CleanNodesOptions): Promise<readonly LeftOnNode[]> {
  const { access, clock, progress, deadline } = options;
  const ours = new Set<string>();
  let kept: LeftOnNode[] = [];
  await waitUntil({ clock, progress, deadline, every: LOOK_EVERY }, async () => {
    kept = [];
    for (const node of await access.list(NODES)) {
      const { name } = node.metadata;
      if (bearsOurSign(node)) ours.add(name);
      const traces = nodeTraces(node, ours.has(name));
      if (traces.patch !== undefined) await patchNode(access, name, traces.patch);
      if (traces.kept.length > 0) kept.push({ node: name, resources: traces.kept });
    }
    if (kept.length === 0) return undefined;
    const nodes = kept.map(({ node }) => node).join(", ");
    return `${nodes}: the kubelet shows a device plugin's resources for five minutes after its end`;
  });
  return kept;
}

/** A node may be deleted while it is looked at. */
async function patchNode(access: ClusterAccess, name: string, patch: object): Promise<void> {
  const of = reference(NODES, name);
  await access.mergePatch(of, patch, "status").catch(async (error: unknown) => {
    if ((await access.get(of)) !== undefined) throw error;
  });
}
