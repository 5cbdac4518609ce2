import { fromHex } from "@confcom/sgx";
import { readTcbInfo, type TcbInfo } from "@confcom/verify/documents";
import { CollateralError } from "../errors.ts";
import { tcbmOf } from "../hexadecimal.ts";
import { type Candidate, readCandidates, readOrRefuse } from "./candidates.ts";
import { type ComparableTcb, compareDescending, isAtLeast } from "./tcb-order.ts";

/** A platform's own TCB, as requests have it (hexadecimal of either case). */
export interface RawTcb {
  /** 32 digits. */
  readonly cpuSvn: string;
  /** 4 digits, little-endian bytes. */
  readonly pceSvn: string;
  /** 4 digits, little-endian bytes. */
  readonly pceId: string;
}

export interface SelectedPckCertificate<C> {
  readonly certificate: C;
  /** 36 hexadecimal digits, upper case. */
  readonly tcbm: string;
}

function parameter(name: keyof RawTcb, value: string, bytes: number): Uint8Array {
  if (typeof value === "string" && value.length === 2 * bytes && /^[0-9A-F]+$/i.test(value)) return fromHex(value);
  throw new CollateralError("PARAMETER", `${name} is not ${2 * bytes} hexadecimal digits`);
}

/** The order in which candidates of one bucket are tried: higher TCB first; of one TCB the one issued last. */
function compareCandidates<C>(a: Candidate<C>, b: Candidate<C>): number {
  const byTcb = compareDescending(a.pck.sgx.tcb, b.pck.sgx.tcb);
  if (byTcb !== 0) return byTcb;
  const [one, other] = [a.pck.certificate, b.pck.certificate];
  // The last difference of two certificates is in their bytes, so that their order in the input means nothing.
  return other.notBefore - one.notBefore || Buffer.compare(one.der, other.der);
}

/** The first TCB level that a certificate reaches; the number of levels if it reaches none. */
function bucketOf({ tcbLevels }: TcbInfo, tcb: ComparableTcb): number {
  const level = tcbLevels.findIndex(({ sgxComponents, pceSvn }) =>
    isAtLeast(tcb, { components: sgxComponents, pceSvn }),
  );
  return level < 0 ? tcbLevels.length : level;
}

/**
 * The certificate that a platform is to use at its raw TCB, chosen as Intel's library does (spec: DCAP §12): certificates go
 * to the first TCB level they reach, levels from the highest down; the first one in this order that is not above the raw TCB
 * is the answer. Undefined if all are above it, or there is none.
 *
 * `tcbInfo`: the whole text, version 2 or 3; no signature is looked at, here or of the certificates (PEM, leaf alone, at most
 * 1024). Fails with CollateralError PARAMETER for `raw`, and with SOURCE_ANSWER for what cannot be read or does not belong
 * together: see readCandidates.
 */
export function selectPckCertificate<C extends { readonly certificate: string }>(
  certificates: readonly C[],
  tcbInfo: string,
  raw: RawTcb,
): SelectedPckCertificate<C> | undefined {
  const platform = comparable(raw);
  return highest(
    candidatesOf(
      certificates,
      readOrRefuse(() => readTcbInfo(tcbInfo)),
      raw.pceId,
    ),
    platform,
  );
}

/** {@link selectPckCertificate} for many platforms of few TCB infos, at several raw TCBs each: every text is read once. */
export class PckCertificateSelection {
  readonly #infos = new Map<string, TcbInfo>();

  /** Of one platform. `pceId`: 4 digits, little-endian bytes. Fails as `selectPckCertificate` does. */
  of<C extends { readonly certificate: string }>(
    certificates: readonly C[],
    tcbInfo: string,
    pceId: string,
  ): (raw: Omit<RawTcb, "pceId">) => SelectedPckCertificate<C> | undefined {
    const info = this.#infos.get(tcbInfo) ?? readOrRefuse(() => readTcbInfo(tcbInfo));
    this.#infos.set(tcbInfo, info);
    const candidates = candidatesOf(certificates, info, pceId);
    return (raw) => highest(candidates, comparable(raw));
  }
}

interface Candidates<C> {
  readonly info: TcbInfo;
  readonly candidates: readonly Candidate<C>[];
}

function candidatesOf<C extends { readonly certificate: string }>(
  certificates: readonly C[],
  info: TcbInfo,
  pceId: string,
): Candidates<C> {
  return { info, candidates: readCandidates(certificates, info, parameter("pceId", pceId, 2).reverse()) };
}

function comparable({ cpuSvn, pceSvn }: Omit<RawTcb, "pceId">): ComparableTcb {
  const components = parameter("cpuSvn", cpuSvn, 16);
  const [low, high] = parameter("pceSvn", pceSvn, 2) as unknown as readonly [number, number];
  return { components, pceSvn: low + 256 * high };
}

function highest<C>(
  { info, candidates }: Candidates<C>,
  platform: ComparableTcb,
): SelectedPckCertificate<C> | undefined {
  let best: { readonly candidate: Candidate<C>; readonly bucket: number } | undefined;
  for (const candidate of candidates) {
    const { tcb } = candidate.pck.sgx;
    if (!isAtLeast(platform, tcb)) continue;
    const bucket = bucketOf(info, tcb);
    const order = best === undefined ? -1 : bucket - best.bucket || compareCandidates(candidate, best.candidate);
    if (order < 0) best = { candidate, bucket };
  }
  if (best === undefined) return undefined;
  const { given, pck } = best.candidate;
  return { certificate: given, tcbm: tcbmOf(pck.sgx.tcb) };
}
