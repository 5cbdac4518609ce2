import { KUBELET_MESSAGE_LIMIT } from "../device-plugin/list-encoding.ts";

/** Bytes of the largest list that is sent: what the kubelet takes, less 4 KiB for fields that it may have in future (spec: Kubernetes §7.1). */
export const DEVICE_LIST_LIMIT = KUBELET_MESSAGE_LIMIT - 4_096;
