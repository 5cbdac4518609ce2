export type { PodAllocation } from "./decode-pod-resources.ts";
export {
  type PodResourcesAnswer,
  PodResourcesClient,
  type PodResourcesClientOptions,
} from "./pod-resources-client.ts";
