import { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } from "@confcom/verify";
import { optionFile } from "../option-file.ts";

/** Intel's root, or those of the PEM files that the option names. */
export function trustedRoots(option: string, files: readonly string[] | undefined): Uint8Array[] {
  if (files === undefined || files.length === 0) return [INTEL_SGX_ROOT_KEY];
  return files.map((file) => optionFile(option, file, trustedRootFromCertificate));
}
