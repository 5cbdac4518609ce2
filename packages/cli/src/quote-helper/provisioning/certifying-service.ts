import type { RemoteProvisioningAuthority } from "@confcom/collateral/software";
import type { StateDirectory, StateWarning } from "@confcom/quoting";
import type { SoftwarePlatformOptions } from "@confcom/quoting/software";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import type { PccsAccess } from "./pccs-settings.ts";

/** `PROVISIONING_SERVICE_FILE`: whether it is there is looked at before the package that knows it is loaded. */
const RECORD = "provisioning-service.json";

/** How a platform is certified: by its own authority, or by a service. */
export interface Certification {
  readonly options: Pick<SoftwarePlatformOptions, "openAuthority">;
  /** Once the platform is open; undefined: it has its own authority. */
  readonly authority: () => RemoteProvisioningAuthority | undefined;
}

/**
 * What the platform of a state directory is opened with. The one service for the life of the process: a reload of the
 * state does not change it. The collateral package is loaded only where there is, or was, a service.
 */
export async function certification(
  state: StateDirectory,
  access: PccsAccess | undefined,
  warn: StateWarning,
): Promise<Certification> {
  if (access === undefined) {
    if (state.names().includes(RECORD)) {
      (await import("@confcom/collateral/software")).leaveProvisioningService(state, warn);
    }
    return { options: {}, authority: () => undefined };
  }
  const { openProvisioningService } = await import("@confcom/collateral/software");
  let authority: RemoteProvisioningAuthority | undefined;
  const openAuthority = async () => {
    authority ??= openProvisioningService({
      state,
      url: access.url,
      rootCertificatePem: access.rootCertificatePem,
      ...(access.tlsCa === undefined ? {} : { tlsCa: access.tlsCa }),
      userToken: access.userToken,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      warn,
    });
    return authority;
  };
  return { options: { openAuthority }, authority: () => authority };
}

/** How the platform that a quote helper left is certified, for commands that only look at it. */
export async function recordedCertification(state: StateDirectory, warn: StateWarning): Promise<Certification> {
  const none = { options: {}, authority: () => undefined };
  if (!state.names().includes(RECORD)) return none;
  const { readProvisioningRecord } = await import("@confcom/collateral/software");
  const record = readProvisioningRecord(state);
  if (record?.inUse !== true) return none;
  const { url, root, tlsCa } = record;
  return certification(state, { url, rootCertificatePem: root, tlsCa, userToken: () => undefined }, warn);
}
