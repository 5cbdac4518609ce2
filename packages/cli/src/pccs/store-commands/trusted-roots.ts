import { readFileSync } from "node:fs";
import { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } from "@confcom/verify";
import { usage } from "../../usage-error.ts";

/** Intel's root, or those of the PEM files that the command names. */
export function trustedRoots(files: readonly string[] | undefined): Uint8Array[] {
  if (files === undefined || files.length === 0) return [INTEL_SGX_ROOT_KEY];
  return files.map((file) => {
    try {
      return trustedRootFromCertificate(readFileSync(file, "utf8"));
    } catch (error) {
      throw usage(`--trusted-root ${file}: ${error instanceof Error ? error.message : String(error)}`, "pccs");
    }
  });
}
