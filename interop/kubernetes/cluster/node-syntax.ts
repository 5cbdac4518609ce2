import type { NodeOptions } from "./cluster.ts";
import { ClusterError } from "./errors.ts";

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
