import { hash } from "node:crypto";
import { concatBytes, fromHex, writeU32, writeU64 } from "@confcom/sgx";
import { labelledSubjects, realSubjects, type Subject, sign, unsign } from "../../testing/index.ts";
import { cbor } from "./cbor-writer.ts";
import type { TestKey } from "./certificate.ts";

/** Where the report data stands in a quote. */
const REPORT_DATA_AT = { sgx: 48 + 320, tdx: 48 + 520 } as const;

const BASES = (() => {
  const sgx = labelledSubjects(["ok_platform"])[0];
  const tdx = realSubjects().find(({ name }) => name.startsWith("tdx_v4_9069d475eda3"));
  if (sgx === undefined || tdx === undefined) throw new Error("a fixture is missing");
  return { sgx: unsign(sgx), tdx: unsign(tdx) };
})();

/** A quote that verifies, with the SHA-256 of these bytes as its report data. */
export function quoteOver(bytes: Uint8Array, kind: "sgx" | "tdx" = "sgx"): Subject {
  const base = BASES[kind];
  const headerAndBody = base.headerAndBody.slice();
  headerAndBody.fill(0, REPORT_DATA_AT[kind], REPORT_DATA_AT[kind] + 64);
  headerAndBody.set(hash("sha256", bytes, "buffer"), REPORT_DATA_AT[kind]);
  return sign({ ...base, headerAndBody });
}

/** The public key as PEM, as OpenSSL writes it, with the NUL that Open Enclave counts in. */
export function pemOf({ publicKey }: TestKey): Uint8Array {
  return concatBytes(
    new TextEncoder().encode(publicKey.export({ type: "spki", format: "pem" }) as string),
    Uint8Array.of(0),
  );
}

/** oe_report_header_t and what follows. */
export function openEnclaveReport(quote: Uint8Array, { version = 1, type = 2, size = quote.length } = {}): Uint8Array {
  const header = new Uint8Array(16);
  writeU32(header, 0, version);
  writeU32(header, 4, type);
  writeU64(header, 8, BigInt(size));
  return concatBytes(header, quote);
}

/** oe_attestation_header_t and what follows; the default format is SGX ECDSA. */
export function openEnclaveEvidence(
  body: Uint8Array,
  { format = "a3a21e871b4d4014b70aa125d2fbcd8c", version = 3, size = body.length } = {},
): Uint8Array {
  const header = new Uint8Array(28);
  writeU32(header, 0, version);
  header.set(fromHex(format), 4);
  writeU64(header, 20, BigInt(size));
  return concatBytes(header, body);
}

/** IANA's numbers for hash algorithms. */
export const HASH_ID = { sha256: 1, sha384: 7, sha512: 8 } as const;

/** The claims of interoperable RA-TLS for a key. */
export function claimsFor(
  { publicKeyInfo }: Pick<TestKey, "publicKeyInfo">,
  algorithm: keyof typeof HASH_ID = "sha256",
  ...more: readonly (readonly [Uint8Array, Uint8Array])[]
): Uint8Array {
  const entry = cbor.array(cbor.uint(HASH_ID[algorithm]), cbor.bytes(hash(algorithm, publicKeyInfo, "buffer")));
  return cbor.map([cbor.text("pubkey-hash"), cbor.bytes(entry)], ...more);
}

export function taggedEvidence(quote: Uint8Array, claims: Uint8Array): Uint8Array {
  return cbor.tag(60000, cbor.array(cbor.bytes(quote), cbor.bytes(claims)));
}
