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

/** Keys kept ready. A KEYID is constant for a CPU's uptime, so a handful serves all callers of one machine. */
const KEPT = 16;
/** Of a report, what its REPORT key depends on: CPUSVN and KEYID, as words. */
const NAME_WORDS = 12;

/** CPUSVN and KEYID of one report. Words, because a string for every report would be hashed, and kept, by the runtime. */
class KeyName {
  readonly #words = new Uint32Array(NAME_WORDS);

  set(report: DataView): void {
    for (let i = 0; i < NAME_WORDS; i++) this.#words[i] = report.getUint32(nameOffset(i));
  }

  isOf(report: DataView): boolean {
    for (let i = NAME_WORDS - 1; i >= 0; i--) {
      if (this.#words[i] !== report.getUint32(nameOffset(i))) return false;
    }
    return true;
  }
}

function nameOffset(word: number): number {
  return word < 4 ? 4 * word : REPORT_OFFSET.KEYID + 4 * (word - 4);
}

/**
 * Checks the MACs of reports that are for one enclave. One object per thread (it keeps cipher objects).
 *
 * The first report with some CPUSVN and KEYID is checked with a key derived for it alone; when the next one with them comes, the
 * key is kept ready. Names seen once are remembered apart from keys kept, so a caller who sends a fresh KEYID each time costs a
 * derivation each time, no memory, and nobody else's key.
 */
export class ReportMacChecker {
  readonly #base: Cmac;
  readonly #data: Uint8Array;
  readonly #kept: { readonly name: KeyName; key: Cmac }[] = [];
  #nextKept = 0;
  readonly #seenOnce = Array.from({ length: KEPT }, () => new KeyName());
  #nextSeen = 0;

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
    const expected = this.#mac(report);
    if (expected === undefined) return false;
    let difference = 0;
    for (let i = 0; i < 16; i++) difference |= (expected[i] as number) ^ (report[REPORT_OFFSET.MAC + i] as number);
    return difference === 0;
  }

  #mac(report: Uint8Array): Uint8Array | undefined {
    const body = report.subarray(0, REPORT_OFFSET.KEYID);
    const view = new DataView(report.buffer, report.byteOffset, REPORT_SIZE);
    for (const kept of this.#kept) if (kept.name.isOf(view)) return kept.key.tag(body);
    if (cpuSvnName(body.subarray(0, 16)) === undefined) return undefined;
    const key = this.#derive(report);
    if (!this.#seenBefore(view)) return cmac(key, body);
    return this.#keep(view, new Cmac(key)).tag(body);
  }

  #derive(report: Uint8Array): Uint8Array {
    this.#data.set(report.subarray(0, 16), OFFSET.CPUSVN);
    this.#data.set(report.subarray(REPORT_OFFSET.KEYID, REPORT_OFFSET.MAC), OFFSET.KEYID);
    return this.#base.tag(this.#data);
  }

  #seenBefore(view: DataView): boolean {
    for (const name of this.#seenOnce) if (name.isOf(view)) return true;
    (this.#seenOnce[this.#nextSeen] as KeyName).set(view);
    this.#nextSeen = (this.#nextSeen + 1) % KEPT;
    return false;
  }

  #keep(view: DataView, key: Cmac): Cmac {
    const oldest = this.#kept[this.#nextKept];
    if (oldest === undefined) {
      const name = new KeyName();
      name.set(view);
      this.#kept.push({ name, key });
    } else {
      oldest.key.release();
      oldest.name.set(view);
      oldest.key = key;
    }
    this.#nextKept = (this.#nextKept + 1) % KEPT;
    return key;
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
