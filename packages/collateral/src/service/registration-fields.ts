import type { PlatformRegistration } from "./service.ts";
import { ServiceRefusal } from "./status.ts";

/**
 * What counts of a registration, as in the reference (spec: DCAP §12): with a manifest nothing else but whose it is;
 * without one raw TCB and encrypted PPID are all needed, else ServiceRefusal 400.
 */
export function fieldsThatCount(platform: PlatformRegistration): PlatformRegistration {
  if (platform.platformManifest !== "") return { ...platform, cpuSvn: "", pceSvn: "", encryptedPpid: "" };
  if (platform.cpuSvn === "" || platform.pceSvn === "" || platform.encryptedPpid === "") {
    throw new ServiceRefusal(400, "a platform without a manifest needs cpu_svn, pce_svn and enc_ppid");
  }
  return platform;
}
