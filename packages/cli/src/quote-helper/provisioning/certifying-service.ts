import type { RemoteProvisioningAuthority } from "@confcom/collateral/software";
import type { StateDirectory, StateWarning } from "@confcom/quoting";
import type { ProvisioningAuthority, SoftwarePlatformOptions } from "@confcom/quoting/software";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import { FollowedService } from "./followed-service.ts";
import type { PccsAccess } from "./pccs-settings.ts";

/** `PROVISIONING_SERVICE_FILE`: whether it is there is looked at before the package that knows it is loaded. */
const RECORD = "provisioning-service.json";

/** How a platform is certified: by its own authority, or by a service. */
export interface Certification {
  readonly options: Pick<SoftwarePlatformOptions, "openAuthority">;
  /** Once the platform is open; undefined: it has its own authority. */
  readonly service: () => CertifyingService | undefined;
}

/** The service that certifies the platform, as it is known at this moment. */
export interface CertifyingService {
  /** What is asked now, or will be as soon as it is known under which root. */
  readonly authority: RemoteProvisioningAuthority;
  /** Whether a reload of the platform would replace the authority in use, because root or CA are others by now. */
  readonly outdated: (inUse: ProvisioningAuthority) => boolean;
}

/**
 * What the platform of a state directory is opened with. Which service it is holds for the life of the process; under
 * which root and CA is looked at anew at each reload. The collateral package is loaded only where there is, or was, a
 * service.
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
    return { options: {}, service: () => undefined };
  }
  const service = new FollowedService({
    state,
    access,
    warn,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    software: {
      ...(await import("@confcom/collateral/software")),
      trustedRootFromCertificate: (await import("@confcom/verify")).trustedRootFromCertificate,
    },
  });
  return { options: { openAuthority: async () => service.open() }, service: () => service };
}

/** How the platform that a quote helper left is certified, for commands that only look at it. */
export async function recordedCertification(state: StateDirectory, warn: StateWarning): Promise<Certification> {
  const none = { options: {}, service: () => undefined };
  if (!state.names().includes(RECORD)) return none;
  const { readProvisioningRecord } = await import("@confcom/collateral/software");
  const record = readProvisioningRecord(state);
  if (record?.inUse !== true) return none;
  const { url, root, tlsCa } = record;
  const trust = () => ({ rootCertificatePem: root, tlsCa });
  return certification(state, { url, trust, userToken: () => undefined }, warn);
}
