export { isUpstream } from "./around.ts";
export type { AzureVersion, SvnByteOrder } from "./az-dcap-url.ts";
export { AZURE_INSTANCE_URL, azureRegion } from "./azure-region.ts";
export { INTEL_CRL_ORIGINS } from "./crl-address.ts";
export { type DirectoryFile, type DirectoryFiles, directoryFiles } from "./directory/directory-files.ts";
export { type DirectorySourceOptions, directorySource } from "./directory/directory-source.ts";
export { type QcnlFilesSourceOptions, qcnlFilesSource } from "./directory/qcnl-files-source.ts";
export { mayHeal } from "./healing.ts";
export type { Serves } from "./http-source.ts";
export { type PccsSourceOptions, pccsSource } from "./pccs-source.ts";
export { type PcsSourceOptions, pcsSource } from "./pcs-source.ts";
export { INTEL_ROOT_CA_CRL_URL } from "./pcs-url.ts";
export { isIntelPcs, type PccsApiVersion, type QueryParameters } from "./qcnl-url.ts";
export {
  AZURE_CLIENT_ID,
  THIM_AGENT_URL,
  THIM_GLOBAL_CACHE_URL,
  type ThimSourceOptions,
  thimSource,
} from "./thim-source.ts";
export { type ThimWithRegionOptions, thimSourceWithRegion } from "./thim-with-region.ts";
export { type BreakerOptions, type BreakerState, withBreaker } from "./with-breaker.ts";
export { type RetryOptions, withRetry } from "./with-retry.ts";
