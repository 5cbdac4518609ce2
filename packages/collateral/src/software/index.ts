export type { AttemptsStatus } from "./helper/attempts.ts";
export { awaitedAuthority } from "./helper/awaited-authority.ts";
export {
  PROVISIONING_SERVICE_FILE,
  type ProvisioningRecord,
  readProvisioningRecord,
  writeProvisioningRecord,
} from "./helper/provisioning-record.ts";
export {
  leaveProvisioningService,
  openProvisioningService,
  type ProvisioningServiceOptions,
  provisioningServiceUrl,
} from "./helper/provisioning-service.ts";
export type { RegistrationDesk } from "./helper/registration.ts";
export {
  fingerprint,
  openRemoteAuthority,
  type RemoteAuthorityOptions,
  type RemoteProvisioningAuthority,
} from "./helper/remote-authority.ts";
export {
  decodePlatformManifest,
  encodePlatformManifest,
  MAX_MANIFEST_DIGITS,
  type PlatformManifest,
} from "./platform-manifest.ts";
export { SOFTWARE_FMSPC } from "./software-documents.ts";
export {
  openSoftwareUpstream,
  SOFTWARE_AUTHORITY_DIRECTORY,
  SOFTWARE_ROOT_FILE,
  type SoftwareUpstream,
  type SoftwareUpstreamOptions,
} from "./software-upstream.ts";
