export { CPU_SVN_NAMES, CPU_SVNS, type CpuSvnName, cpuSvnName, parseCpuSvnName } from "./cpu/cpu-svn.ts";
export { type EnclaveIdentity, enclaveIdentity, targetInfoOf } from "./cpu/enclave-identity.ts";
export {
  CPU_PROFILES,
  type CpuProfile,
  openFuses,
  type RandomBytes,
  type ReportSecrets,
  SIMULATION_REPORT_SECRETS,
} from "./cpu/fuses.ts";
export { checkReportMac, ReportMacChecker } from "./cpu/report-key.ts";
export { createSoftwareEnclave, type SoftwareEnclave, type SoftwareEnclaveOptions } from "./cpu/software-enclave.ts";
export { collateralFiles, collateralJson } from "./provisioning/collateral-files.ts";
export type {
  AuthorityBinding,
  CpuBinding,
  PckChain,
  PckRequest,
  PckTcbKey,
  PlatformRegistrant,
  PpidEncryptionKey,
  ProvisioningAuthority,
  QeIdentityFacts,
  ServiceBinding,
} from "./provisioning-authority.ts";
export type { AttestationKeySnapshot, PlatformSnapshot } from "./snapshot.ts";
export { createSnapshotPlatform, type SnapshotPlatform, type SnapshotPlatformOptions } from "./snapshot-platform.ts";
export {
  openSoftwarePlatform,
  type SnapshotListener,
  type SoftwarePlatform,
  type SoftwarePlatformOptions,
} from "./software-platform.ts";
