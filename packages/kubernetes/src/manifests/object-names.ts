import type { StringMap } from "./kubernetes-object.ts";

/** Names and labels as AKS users know them (spec: Kubernetes §4.1). */
export const PLUGIN_NAME = "sgx-plugin";
export const NODE_STATUS_NAME = "node-status";
export const QUOTE_HELPER_NAME = "sgx-quote-helper";

/** Ports of `/status`, probes and metrics inside the pods. */
export const PLUGIN_PORT = 9101;
export const NODE_STATUS_PORT = 9102;
export const QUOTE_HELPER_PORT = 9103;

/** Every object carries it, so that what belongs together can be listed and removed together. */
export const PART_OF_LABEL = "app.kubernetes.io/part-of";

export type Component = typeof PLUGIN_NAME | typeof QUOTE_HELPER_NAME;

export function labelsOf(component: Component): StringMap {
  return { app: component, "app.kubernetes.io/name": component, [PART_OF_LABEL]: "confcom" };
}

/** What a DaemonSet knows its pods by. Never to be changed: the API server refuses another selector in an update. */
export function selectorOf(component: Component): StringMap {
  return { app: component };
}
