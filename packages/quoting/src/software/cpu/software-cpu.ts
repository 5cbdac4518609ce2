import { type KeyRequest, REPORT_OFFSET } from "@confcom/sgx";
import { CPU_SVNS, type CpuSvnName } from "./cpu-svn.ts";
import { egetkey } from "./egetkey.ts";
import type { EnclaveIdentity } from "./enclave-identity.ts";
import { ereport, type ReportingCpu } from "./ereport.ts";
import type { CpuProfile, Fuses, RandomBytes, ReportSecrets } from "./fuses.ts";

/**
 * The KEYID this CPU writes into reports (32 bytes). The SDK's simulation writes half its REPORT base key, which is no
 * secret there; a `private` CPU's base key is one, so its KEYID is random for each start, as on hardware.
 */
export function cpuKeyId(profile: CpuProfile, secrets: ReportSecrets, random: RandomBytes): Uint8Array {
  const keyId = new Uint8Array(REPORT_OFFSET.MAC - REPORT_OFFSET.KEYID);
  if (profile === "sdk-simulation") keyId.set(secrets.reportBaseKey);
  else keyId.set(random(keyId.length));
  return keyId;
}

/** The simulated CPU that the platform's own enclaves (QE, PCE, ID enclave) run on. */
export class SoftwareCpu {
  readonly svnName: CpuSvnName;
  readonly #fuses: Fuses;
  readonly #reporting: ReportingCpu;

  /** `keyId`: 32 bytes, see {@link cpuKeyId}. */
  constructor(fuses: Fuses, svnName: CpuSvnName, keyId: Uint8Array) {
    this.svnName = svnName;
    this.#fuses = fuses;
    this.#reporting = { secrets: fuses, cpuSvn: CPU_SVNS[svnName], keyId };
  }

  /** 16 bytes: the current, raw CPUSVN. */
  get svn(): Uint8Array {
    return this.#reporting.cpuSvn;
  }

  /** What threads that only make and check reports need. */
  get reporting(): ReportingCpu {
    return this.#reporting;
  }

  /** EREPORT on behalf of an enclave: 432 bytes. */
  ereport(enclave: EnclaveIdentity, targetInfo: Uint8Array | undefined, reportData: Uint8Array): Uint8Array {
    return ereport(this.#reporting, enclave, targetInfo, reportData);
  }

  /** EGETKEY on behalf of an enclave: 16 bytes. Fails with EGETKEY_* codes. */
  egetkey(enclave: EnclaveIdentity, request: KeyRequest): Uint8Array {
    return egetkey(this.#fuses, this.svnName, enclave, request);
  }
}
