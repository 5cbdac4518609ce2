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
  type SoftwareUpstream,
  type SoftwareUpstreamOptions,
} from "./software-upstream.ts";
