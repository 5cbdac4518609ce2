import { readU32, readU64, toHex } from "@confcom/sgx";
import { type Evidence, EvidenceError } from "./evidence.ts";

/** oe_report_header_t: version u32, report type u32, size u64; then the report. */
const REPORT_HEADER = { size: 16, version: 1, typeRemote: 2 } as const;
/** oe_attestation_header_t: version u32, format id 16 bytes, size u64; then the evidence. */
const ATTESTATION_HEADER = { size: 28, version: 3 } as const;

/** Format ids of evidence whose quote is an ECDSA quote. */
const FORMAT = {
  SGX_ECDSA: "a3a21e871b4d4014b70aa125d2fbcd8c",
  LEGACY_REPORT_REMOTE: "c8303454d9234c2ca691df7def460a76",
  RAW_SGX_QUOTE: "1923d91e12d24c72b22025cd8dace871",
  TDX_QUOTE: "8ba70286c1cf11edafa10242ac120002",
} as const;

/** Where a quote of version 3 has the size of its signature data, which follows (spec: DCAP §3). */
const SIGNATURE_SIZE_AT = 432;

function sized(data: Uint8Array, headerSize: number, declared: bigint, what: string): Uint8Array {
  const found = data.length - headerSize;
  if (declared !== BigInt(found)) throw new EvidenceError(`${what} declares ${declared} bytes, ${found} are there`);
  return data.subarray(headerSize);
}

/** Open Enclave's report: a header, then a quote over the hash of the public key's PEM. Throws {@link EvidenceError}. */
export function readOpenEnclaveReport(data: Uint8Array): Evidence {
  if (data.length < REPORT_HEADER.size) throw new EvidenceError("an Open Enclave report is cut in its header");
  const version = readU32(data, 0);
  if (version !== REPORT_HEADER.version) throw new EvidenceError(`an Open Enclave report of version ${version}`);
  const type = readU32(data, 4);
  if (type !== REPORT_HEADER.typeRemote) throw new EvidenceError(`an Open Enclave report of type ${type} has no quote`);
  return {
    format: "Open Enclave report",
    quote: sized(data, REPORT_HEADER.size, readU64(data, 8), "the Open Enclave report"),
    keyReference: { kind: "public-key-pem" },
  };
}

/** A quote and the custom claims that follow it: the public key's PEM. */
function splitClaims(data: Uint8Array): Pick<Evidence, "quote" | "keyReference"> {
  const size = data.length < SIGNATURE_SIZE_AT + 4 ? 0 : SIGNATURE_SIZE_AT + 4 + readU32(data, SIGNATURE_SIZE_AT);
  const end = size === 0 || size > data.length ? data.length : size;
  return { quote: data.subarray(0, end), keyReference: { kind: "pem-claims", claims: data.subarray(end) } };
}

/** Open Enclave's evidence: a header with a format id, then what that says. Throws {@link EvidenceError}. */
export function readOpenEnclaveEvidence(data: Uint8Array): Evidence {
  if (data.length < ATTESTATION_HEADER.size) throw new EvidenceError("Open Enclave evidence is cut in its header");
  const version = readU32(data, 0);
  if (version !== ATTESTATION_HEADER.version) throw new EvidenceError(`Open Enclave evidence of version ${version}`);
  const body = sized(data, ATTESTATION_HEADER.size, readU64(data, 20), "the Open Enclave evidence");
  const format = toHex(data.subarray(4, 20));
  switch (format) {
    case FORMAT.SGX_ECDSA:
      return { format: "Open Enclave evidence (SGX ECDSA)", ...splitClaims(body) };
    case FORMAT.LEGACY_REPORT_REMOTE:
      return { ...readOpenEnclaveReport(body), format: "Open Enclave evidence (report)" };
    case FORMAT.RAW_SGX_QUOTE:
      return { format: "Open Enclave evidence (SGX quote)", quote: body, keyReference: { kind: "public-key-pem" } };
    case FORMAT.TDX_QUOTE:
      return { format: "Open Enclave evidence (TDX quote)", quote: body, keyReference: { kind: "public-key-pem" } };
    default:
      throw new EvidenceError(`Open Enclave evidence of format ${format} is no ECDSA quote`);
  }
}
