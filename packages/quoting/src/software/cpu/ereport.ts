import { encodeReport, encodeReportBody, TARGET_INFO_SIZE } from "@confcom/sgx";
import { cmac } from "../../crypto/cmac-once.ts";
import type { EnclaveIdentity } from "./enclave-identity.ts";
import type { ReportSecrets } from "./fuses.ts";
import { reportKey } from "./report-key.ts";

/** The part of the CPU that makes reports: its secrets, its current CPUSVN (16 bytes) and its KEYID (32 bytes). */
export interface ReportingCpu {
  readonly secrets: ReportSecrets;
  readonly cpuSvn: Uint8Array;
  readonly keyId: Uint8Array;
}

/**
 * EREPORT (spec: DCAP §2): the enclave's identity and 64 bytes of its choice, with a MAC that only the enclave named by
 * `targetInfo` (512 bytes) on this CPU can check. Without a target the report is for nobody: an enclave reads its own
 * identity that way. Returns 432 bytes; shorter report data is zero padded.
 */
export function ereport(
  cpu: ReportingCpu,
  enclave: EnclaveIdentity,
  targetInfo: Uint8Array | undefined,
  reportData: Uint8Array,
): Uint8Array {
  const body = { ...enclave, cpuSvn: cpu.cpuSvn, reportData };
  const key = reportKey(cpu.secrets, targetInfo ?? new Uint8Array(TARGET_INFO_SIZE), cpu.cpuSvn, cpu.keyId);
  const mac = cmac(key, encodeReportBody(body));
  return encodeReport({ body, keyId: cpu.keyId, mac });
}
