import { bytesEqual } from "@confcom/sgx";
import { DocumentRefusal, type PckCertificate, readPckCertificate, type TcbInfo } from "@confcom/verify/documents";
import { MAX_PCK_CERTIFICATES } from "../check/index.ts";
import { CollateralError } from "../errors.ts";

/** A certificate that may be chosen. */
export interface Candidate<C> {
  readonly given: C;
  readonly pck: PckCertificate;
}

function refuse(detail: string, cause?: unknown): never {
  throw new CollateralError("SOURCE_ANSWER", detail, { cause });
}

/** Reads what is to be read; a refusal becomes SOURCE_ANSWER. */
export function readOrRefuse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DocumentRefusal) return refuse(error.message, error);
    throw error;
  }
}

/**
 * The certificates of one platform, read. All of them must be of one PPID, of the TCB info's FMSPC and of this PCEID (2
 * bytes, most significant first), with a CPUSVN that is its components: one that is not refuses all, as in Intel's library.
 */
export function readCandidates<C extends { readonly certificate: string }>(
  certificates: readonly C[],
  tcbInfo: TcbInfo,
  pceId: Uint8Array,
): Candidate<C>[] {
  if (certificates.length > MAX_PCK_CERTIFICATES) refuse(`${certificates.length} PCK certificates for one platform`);
  if (!bytesEqual(tcbInfo.pceId, pceId)) refuse("the TCB info is of another PCEID");
  const candidates = certificates.map((given) => ({
    given,
    pck: readOrRefuse(() => readPckCertificate(given.certificate)),
  }));
  const ppid = candidates[0]?.pck.sgx.ppid;
  for (const { sgx } of candidates.map(({ pck }) => pck)) {
    const { tcb } = sgx;
    if (!bytesEqual(tcb.cpuSvn, tcb.components)) refuse("a PCK certificate's CPUSVN is not its TCB components");
    if (!bytesEqual(sgx.pceId, pceId)) refuse("a PCK certificate is of another PCEID");
    if (!bytesEqual(sgx.fmspc, tcbInfo.fmspc)) refuse("a PCK certificate is of another FMSPC than the TCB info");
    if (ppid === undefined || !bytesEqual(sgx.ppid, ppid)) refuse("the PCK certificates are of different platforms");
  }
  return candidates;
}
