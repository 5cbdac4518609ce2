import { createHash } from "node:crypto";
import { fromHex, toHex } from "@confcom/sgx";
import type { CollateralAnswer } from "../answer.ts";
import type { CachedAnswer } from "./cached-answer.ts";

/** Bytes of an entry: a CRL of 8 MiB in hexadecimal and its issuer chain. */
export const ENTRY_LIMIT = 20 * 1024 * 1024;

/** Changes whenever the format does: entries of another version are misses. */
const MAGIC = "confcom-collateral-cache/1";

/**
 * An entry as it is on disk: a line with the format's version and the SHA-256 of the rest, then JSON with the key. The
 * digest finds damage; it is no protection, for which there are the answer's own signatures.
 */
export function encodeEntry(key: string, cached: CachedAnswer): Uint8Array {
  const { answer, storedAt, maxAgeMs, source } = cached;
  const plain = "crl" in answer ? { ...answer, crl: toHex(answer.crl) } : answer;
  const body = JSON.stringify({ key, storedAt, maxAgeMs, source, answer: plain });
  return new TextEncoder().encode(`${MAGIC} ${digest(body)}\n${body}`);
}

/** Undefined for anything that is not exactly an entry of this key. */
export function decodeEntry(key: string, bytes: Uint8Array): CachedAnswer | undefined {
  if (bytes.length > ENTRY_LIMIT) return undefined;
  const text = new TextDecoder().decode(bytes);
  const at = text.indexOf("\n");
  const body = text.slice(at + 1);
  if (at < 0 || text.slice(0, at) !== `${MAGIC} ${digest(body)}`) return undefined;
  try {
    return readBody(key, JSON.parse(body));
  } catch {
    return undefined;
  }
}

const digest = (body: string) => createHash("sha256").update(body).digest("hex");

type Fields = Readonly<Record<string, unknown>>;

/** The texts of each kind of answer beside `kind`; `crl` is hexadecimal here. */
const TEXTS: Readonly<Record<CollateralAnswer["kind"], readonly string[]>> = {
  "pck-certificate": ["certificate", "issuerChain", "tcbm", "fmspc", "ca"],
  "pck-crl": ["crl", "issuerChain"],
  "tcb-info": ["body", "issuerChain"],
  identity: ["body", "issuerChain"],
  "root-ca-crl": ["crl"],
  crl: ["crl"],
};

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function readBody(key: string, entry: unknown): CachedAnswer | undefined {
  if (!isFields(entry) || entry.key !== key || !isFields(entry.answer)) return undefined;
  const { storedAt, maxAgeMs, source } = entry;
  if (typeof storedAt !== "number" || typeof source !== "string") return undefined;
  if (maxAgeMs !== undefined && typeof maxAgeMs !== "number") return undefined;
  const answer = readAnswer(entry.answer);
  if (answer === undefined) return undefined;
  return { answer, storedAt, source, ...(maxAgeMs === undefined ? {} : { maxAgeMs }) };
}

function readAnswer(fields: Fields): CollateralAnswer | undefined {
  const { kind } = fields;
  if (typeof kind !== "string" || !Object.hasOwn(TEXTS, kind)) return undefined;
  const names = TEXTS[kind as CollateralAnswer["kind"]];
  if (!names.every((name) => typeof fields[name] === "string")) return undefined;
  const taken = Object.fromEntries(names.map((name) => [name, fields[name] as string]));
  const { crl } = taken;
  return { kind, ...taken, ...(crl === undefined ? {} : { crl: fromHex(crl) }) } as unknown as CollateralAnswer;
}
