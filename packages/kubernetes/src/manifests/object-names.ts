import type { StringMap } from "./kubernetes-object.ts";

/** Names and labels as AKS users know them (spec: Kubernetes §4.1). */
export const PLUGIN_NAME = "sgx-plugin";
export const NODE_STATUS_NAME = "node-status";
export const QUOTE_HELPER_NAME = "sgx-quote-helper";
export const WEBHOOK_NAME = "sgx-webhook";
export const PCCS_NAME = "sgx-pccs";
/** Of the admission policies about applications. */
export const POLICIES_NAME = "sgx-policies";

/** Ports of `/status`, probes and metrics inside the pods. */
export const PLUGIN_PORT = 9101;
export const NODE_STATUS_PORT = 9102;
export const QUOTE_HELPER_PORT = 9103;
export const WEBHOOK_STATUS_PORT = 9104;
export const PCCS_STATUS_PORT = 9105;
/** Container `pccs-trust`, beside the PCCS. */
export const PCCS_TRUST_PORT = 9106;

/** Where the API server calls the webhook, inside the pod; the Service has 443. */
export const WEBHOOK_PORT = 9443;
/** HTTPS of the PCCS, in the pod and at the Service. */
export const PCCS_PORT = 8081;

/** Secret: the webhook's CA with its key, made and renewed by the webhook itself. */
export const WEBHOOK_AUTHORITY_SECRET = "sgx-webhook-authority";

/** ConfigMap: what relying parties and helpers trust. Published by `pccs-trust`. */
export const QUOTE_ROOT_CONFIG_MAP = "sgx-quote-root";
/** Its keys: the root certificate under which this cluster's quotes stand, and the CA of the PCCS's TLS certificate. PEM. */
export const QUOTE_ROOT_KEY = "root-ca.pem";
export const PCCS_CA_KEY = "pccs-ca.pem";

/** Secret: what helpers register with; its key. Published by `pccs-trust`. */
export const PCCS_USER_TOKEN_SECRET = "sgx-pccs-user-token";
export const PCCS_USER_TOKEN_KEY = "user-token";

/** ConfigMap: what `confcom addon` knows about its installation. */
export const ADDON_CONFIG_MAP = "sgx-addon";

/** Every object carries it, so that what belongs together can be listed and removed together. */
export const PART_OF_LABEL = "app.kubernetes.io/part-of";

export type Component =
  | typeof PLUGIN_NAME
  | typeof QUOTE_HELPER_NAME
  | typeof WEBHOOK_NAME
  | typeof PCCS_NAME
  | typeof POLICIES_NAME;

export function labelsOf(component: Component): StringMap {
  return { app: component, "app.kubernetes.io/name": component, [PART_OF_LABEL]: "confcom" };
}

/** What a DaemonSet knows its pods by. Never to be changed: the API server refuses another selector in an update. */
export function selectorOf(component: Component): StringMap {
  return { app: component };
}
