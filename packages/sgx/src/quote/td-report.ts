import { SgxFormatError } from "../errors.ts";

/** Sizes of the TD report bodies inside a quote (spec: DCAP §4). */
export const TD_REPORT_10_SIZE = 584;
export const TD_REPORT_15_SIZE = 648;

/** The body of a TDX quote. All fields are views of the quote's bytes. */
export interface TdReport {
  /** 16 bytes: [0] module ISVSVN, [1] module version, [2] SEAM microcode SVN. */
  readonly teeTcbSvn: Uint8Array;
  readonly mrSeam: Uint8Array;
  readonly mrSignerSeam: Uint8Array;
  readonly seamAttributes: Uint8Array;
  readonly tdAttributes: Uint8Array;
  readonly xfam: Uint8Array;
  readonly mrTd: Uint8Array;
  readonly mrConfigId: Uint8Array;
  readonly mrOwner: Uint8Array;
  readonly mrOwnerConfig: Uint8Array;
  /** RTMR0 to RTMR3, 48 bytes each. */
  readonly rtmr: readonly [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  /** 64 bytes. */
  readonly reportData: Uint8Array;
  /** 16 bytes, TD 1.5 only. */
  readonly teeTcbSvn2?: Uint8Array;
  /** 48 bytes, TD 1.5 only. */
  readonly mrServiceTd?: Uint8Array;
}

/** Reads 584 bytes (TD 1.0) or 648 (TD 1.5). Throws `SGX_SIZE`. */
export function decodeTdReport(bytes: Uint8Array): TdReport {
  if (bytes.length !== TD_REPORT_10_SIZE && bytes.length !== TD_REPORT_15_SIZE) {
    throw new SgxFormatError("SGX_SIZE", `a TD report is 584 or 648 bytes, got ${bytes.length}`);
  }
  const td = {
    teeTcbSvn: bytes.subarray(0, 16),
    mrSeam: bytes.subarray(16, 64),
    mrSignerSeam: bytes.subarray(64, 112),
    seamAttributes: bytes.subarray(112, 120),
    tdAttributes: bytes.subarray(120, 128),
    xfam: bytes.subarray(128, 136),
    mrTd: bytes.subarray(136, 184),
    mrConfigId: bytes.subarray(184, 232),
    mrOwner: bytes.subarray(232, 280),
    mrOwnerConfig: bytes.subarray(280, 328),
    rtmr: [
      bytes.subarray(328, 376),
      bytes.subarray(376, 424),
      bytes.subarray(424, 472),
      bytes.subarray(472, 520),
    ] as const,
    reportData: bytes.subarray(520, 584),
  };
  if (bytes.length === TD_REPORT_10_SIZE) return td;
  return { ...td, teeTcbSvn2: bytes.subarray(584, 600), mrServiceTd: bytes.subarray(600, 648) };
}
