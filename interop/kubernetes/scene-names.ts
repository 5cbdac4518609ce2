export const SGX_NODE = "sgx-1";
export const SECOND_SGX_NODE = "sgx-2";
export const PLAIN_NODE = "plain-1";

/** EPC of the SGX nodes, MiB: small enough to fill, large enough to shrink. */
export const EPC_MIB = 512;

/** Where the add-on is installed. */
export const NAMESPACE = "kube-system";
