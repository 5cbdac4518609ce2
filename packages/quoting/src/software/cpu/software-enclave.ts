import { CPU_SVNS, type CpuSvnName } from "./cpu-svn.ts";
import { type EnclaveIdentity, enclaveIdentity, targetInfoOf } from "./enclave-identity.ts";
import { ereport } from "./ereport.ts";
import { type ReportSecrets, SIMULATION_REPORT_SECRETS } from "./fuses.ts";
import { checkReportMac } from "./report-key.ts";

/** An application enclave on the simulated CPU, able to make and check reports. */
export interface SoftwareEnclave {
  readonly identity: EnclaveIdentity;
  /** 512 bytes: names this enclave in other enclaves' reports. */
  readonly targetInfo: Uint8Array;
  /** A 432-byte report for the enclave that `targetInfo` (512 bytes) names; at most 64 bytes of report data, zero padded. */
  report(targetInfo: Uint8Array, reportData: Uint8Array): Uint8Array;
  /** True when the 432-byte report is for this enclave and was made on its CPU. */
  verifyReport(report: Uint8Array): boolean;
}

export interface SoftwareEnclaveOptions {
  /** What differs from a production-mode enclave with zero measurements. */
  readonly identity?: Partial<EnclaveIdentity>;
  /** Default: the public ones of Intel's SDK simulation, which make a report like that of a simulation-mode enclave. */
  readonly secrets?: ReportSecrets;
  readonly cpuSvn?: CpuSvnName;
  /** 32 bytes. Default: what the SDK's simulation writes; zeros with other secrets than its public ones. */
  readonly keyId?: Uint8Array;
}

/** Makes an enclave. Nothing protects it: anyone with the same secrets makes the same reports. */
export function createSoftwareEnclave(options: SoftwareEnclaveOptions = {}): SoftwareEnclave {
  const identity = enclaveIdentity(options.identity ?? {});
  const secrets = options.secrets ?? SIMULATION_REPORT_SECRETS;
  const keyId = new Uint8Array(32);
  if (options.keyId !== undefined) keyId.set(options.keyId);
  // Never half of a base key that is secret.
  else if (options.secrets === undefined) keyId.set(SIMULATION_REPORT_SECRETS.reportBaseKey);
  const cpu = { secrets, cpuSvn: CPU_SVNS[options.cpuSvn ?? "default"], keyId };
  return {
    identity,
    targetInfo: targetInfoOf(identity),
    report: (targetInfo, reportData) => ereport(cpu, identity, targetInfo, reportData),
    verifyReport: (report) => checkReportMac(targetInfoOf(identity), report, secrets),
  };
}
