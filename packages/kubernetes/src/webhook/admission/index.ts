export { type Admission, type AdmissionOptions, admitPod, WARNING_LIMIT } from "./admit-pod.ts";
export type { JsonPatchOperation } from "./json-patch.ts";
export type { Refusal, RefusalCode } from "./refusal.ts";
