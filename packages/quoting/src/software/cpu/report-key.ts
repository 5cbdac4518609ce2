import { timingSafeEqual } from "node:crypto";
import { assertSize, REPORT_OFFSET, REPORT_SIZE, TARGET_INFO_SIZE } from "@confcom/sgx";
import { Cmac } from "../../crypto/cmac.ts";
import { cmac } from "../../crypto/cmac-once.ts";
import { cpuSvnName } from "./cpu-svn.ts";
import { type ReportSecrets, SIMULATION_REPORT_SECRETS } from "./fuses.ts";

/**
 * What the REPORT key is derived from: a C structure with natural alignment, 192 bytes, the two bytes of padding at its
 * end included (spec: DCAP §2).
 */
const DERIVATION_SIZE = 192;
const OFFSET = {
  KEY_NAME: 0,
  ATTRIBUTES: 8,
  MISCSELECT: 24,
  OWNER_EPOCH: 28,
  MRENCLAVE: 44,
  CPUSVN: 76,
  CONFIGSVN: 92,
  CONFIGID: 94,
  KEYID: 158,
} as const;
const KEY_NAME_REPORT = 3;

/** Derivation data for the enclave that `targetInfo` names; CPUSVN and KEYID still zero. */
function derivationDataFor(targetInfo: Uint8Array, ownerEpoch: Uint8Array): Uint8Array {
  assertSize(targetInfo, TARGET_INFO_SIZE, "target info");
  const data = new Uint8Array(DERIVATION_SIZE);
  data[OFFSET.KEY_NAME] = KEY_NAME_REPORT;
  data.set(targetInfo.subarray(32, 48), OFFSET.ATTRIBUTES);
  data.set(targetInfo.subarray(52, 56), OFFSET.MISCSELECT);
  data.set(ownerEpoch, OFFSET.OWNER_EPOCH);
  data.set(targetInfo.subarray(0, 32), OFFSET.MRENCLAVE);
  data.set(targetInfo.subarray(50, 52), OFFSET.CONFIGSVN);
  data.set(targetInfo.subarray(64, 128), OFFSET.CONFIGID);
  return data;
}

/** The 16-byte REPORT key of the enclave that `targetInfo` (512 bytes) names, for a CPUSVN (16) and a KEYID (32). */
export function reportKey(
  secrets: ReportSecrets,
  targetInfo: Uint8Array,
  cpuSvn: Uint8Array,
  keyId: Uint8Array,
): Uint8Array {
  const data = derivationDataFor(targetInfo, secrets.ownerEpoch);
  data.set(cpuSvn, OFFSET.CPUSVN);
  data.set(keyId, OFFSET.KEYID);
  return cmac(secrets.reportBaseKey, data);
}

/** Keys remembered. A KEYID is constant for a CPU's uptime, so a handful serves all callers of one machine. */
const REMEMBERED = 16;

/**
 * Checks the MACs of reports that are for one enclave. One object per thread (it keeps cipher objects).
 *
 * The first report with some CPUSVN and KEYID is checked with a key derived for it alone; from the second on the key is
 * kept ready. The oldest is given up first, so a caller who sends a fresh KEYID each time costs a derivation each time
 * and no memory.
 */
export class ReportMacChecker {
  readonly #base: Cmac;
  readonly #data: Uint8Array;
  /** By CPUSVN and KEYID: the key kept ready, or null when it was seen once. */
  readonly #seen = new Map<string, Cmac | null>();

  /** `targetInfo`: 512 bytes, the enclave the reports are for. */
  constructor(secrets: ReportSecrets, targetInfo: Uint8Array) {
    this.#base = new Cmac(secrets.reportBaseKey);
    this.#data = derivationDataFor(targetInfo, secrets.ownerEpoch);
  }

  /**
   * True when the report (432 bytes) was made for this enclave by this CPU, at whichever of the three CPUSVNs its body
   * names; false for any other CPUSVN. MACs are compared in constant time. Throws SGX_SIZE on another size.
   */
  check(report: Uint8Array): boolean {
    assertSize(report, REPORT_SIZE, "report");
    const bytes = Buffer.from(report.buffer, report.byteOffset, REPORT_SIZE);
    const expected = this.#mac(bytes);
    return expected !== undefined && timingSafeEqual(expected, bytes.subarray(REPORT_OFFSET.MAC));
  }

  #mac(report: Buffer): Uint8Array | undefined {
    const body = report.subarray(0, REPORT_OFFSET.KEYID);
    const name = report.toString("latin1", 0, 16) + report.toString("latin1", REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC);
    const seen = this.#seen.get(name);
    if (seen) return seen.tag(body);
    if (cpuSvnName(body.subarray(0, 16)) === undefined) return undefined;
    const key = this.#derive(report);
    if (seen === undefined) {
      this.#remember(name, null);
      return cmac(key, body);
    }
    const ready = new Cmac(key);
    this.#remember(name, ready);
    return ready.tag(body);
  }

  #derive(report: Uint8Array): Uint8Array {
    this.#data.set(report.subarray(0, 16), OFFSET.CPUSVN);
    this.#data.set(report.subarray(REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC), OFFSET.KEYID);
    return this.#base.tag(this.#data);
  }

  #remember(name: string, key: Cmac | null): void {
    this.#seen.set(name, key);
    if (this.#seen.size <= REMEMBERED) return;
    for (const [oldest, given] of this.#seen) {
      given?.release();
      this.#seen.delete(oldest);
      return;
    }
  }
}

/**
 * True when the report (432 bytes) is for the enclave that `targetInfo` (512 bytes) names. Needs no state with the
 * simulation's public secrets. `cpuSvn` other than one of the three is false. Throws SGX_SIZE on other sizes.
 */
export function checkReportMac(
  targetInfo: Uint8Array,
  report: Uint8Array,
  secrets: ReportSecrets = SIMULATION_REPORT_SECRETS,
): boolean {
  return new ReportMacChecker(secrets, targetInfo).check(report);
}
