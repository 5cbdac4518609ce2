import type { NodeOptions } from "./cluster.ts";
import { ClusterError } from "./errors.ts";
import { CONTROL_PLANE, MAXIMUM_NODES } from "./layout.ts";

const SYNTAX = /^(?<name>[a-z0-9-]+)(?::(?<epcMiB>\d{1,7})(?:x(?<numaNodes>[12]))?)?$/;

/** `NAME` is a node without SGX, `NAME:MIB` one with so much EPC, `NAME:MIBx2` one whose EPC is spread over two NUMA nodes. */
export function parseNode(text: string): NodeOptions {
  const groups = SYNTAX.exec(text)?.groups;
  if (groups?.name === undefined) {
    throw new ClusterError("BAD_NAME", `"${text}" is no node: write NAME, NAME:EPC_MIB or NAME:EPC_MIBx2`);
  }
  if (groups.epcMiB === undefined) return { name: groups.name };
  const sgx = { epcMiB: Number(groups.epcMiB), numaNodes: groups.numaNodes === "2" ? (2 as const) : (1 as const) };
  return { name: groups.name, sgx };
}

/** Nodes separated by commas; each name once. */
export function parseNodes(text: string): readonly NodeOptions[] {
  const nodes = text.split(",").map((part) => parseNode(part.trim()));
  const twice = nodes.find((node, index) => nodes.findIndex((other) => other.name === node.name) !== index);
  if (twice !== undefined) throw new ClusterError("BAD_NAME", `the node ${twice.name} is named twice`);
  return nodes;
}

/** Whether one cluster can have these nodes, before anything of it is started. Throws ClusterError `BAD_NAME`. */
export function checkNodes(nodes: readonly NodeOptions[]): void {
  if (nodes.length > MAXIMUM_NODES) {
    throw new ClusterError("BAD_NAME", `${nodes.length} nodes are more than the ${MAXIMUM_NODES} of the address plan`);
  }
  if (nodes.some(({ name }) => name === CONTROL_PLANE)) {
    throw new ClusterError(
      "BAD_NAME",
      `${CONTROL_PLANE} is the name of the machine without pods: call the node otherwise`,
    );
  }
}
