import { MAX_PCK_CERTIFICATES } from "../../check/index.ts";
import { jsonValue, utf8Text } from "../json-answer.ts";
import { encodedLeafPem, issuerChainPem } from "../pem-answer.ts";
import { unusable } from "../unusable.ts";

/** A platform's PCK certificates as Intel's tool lays them down for `local_cache_only` (spec: DCAP §13). */
export interface QcnlFile {
  /** Milliseconds since 1970. */
  readonly expires: number;
  /** 32 hexadecimal digits: the TCB components to choose by; all f: the platform's own. */
  readonly components: string;
  /** The whole signed text. */
  readonly tcbInfo: string;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
  readonly certificates: readonly { readonly certificate: string }[];
}

/** Bytes: some dozen certificates of 2.5 KiB each, URL-encoded, and TCB info. */
export const QCNL_FILE_LIMIT = 4 * 1024 * 1024;

const VERSION = 1;
const MULTIPLE_CERTIFICATES = 4;
/** Version (2), kind (4) and expiry (8), without gaps. */
const HEADER_SIZE = 14;

/**
 * Reads such a file: header, then four texts, each after its length (4 bytes, little-endian). Fails with SOURCE_ANSWER for what is not
 * exactly that. Nothing of it is verified.
 */
export function readQcnlFile(bytes: Uint8Array, source: string, file: string): QcnlFile {
  const bad = (problem: string) => unusable(source, file, problem);
  if (bytes.length < HEADER_SIZE) throw bad(`has ${bytes.length} bytes, fewer than its header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint16(0, true) !== VERSION) throw bad(`is of version ${view.getUint16(0, true)}, not ${VERSION}`);
  if (view.getUint32(2, true) !== MULTIPLE_CERTIFICATES) throw bad("is no list of PCK certificates");
  const expires = Number(view.getBigInt64(6, true)) * 1000;
  let at = HEADER_SIZE;
  const text = (what: string): string => {
    const size = bytes.length - at < 4 ? Number.POSITIVE_INFINITY : view.getUint32(at, true);
    if (size > bytes.length - at - 4) throw bad(`ends within ${what}`);
    at += 4 + size;
    return utf8Text(bytes.subarray(at - size, at), source, `${file}: ${what}`);
  };
  const components = text("the TCB components");
  if (!/^[0-9a-fA-F]{32}$/.test(components)) throw bad("has TCB components that are not 32 hexadecimal digits");
  const tcbInfo = text("the TCB info");
  const issuerChain = issuerChainPem(text("the issuer chain"), source, `${file}: the issuer chain`);
  const certificates = readCertificates(text("the certificates"), source, file);
  if (at !== bytes.length) throw bad(`has ${bytes.length - at} bytes too many`);
  return { expires, components, tcbInfo, issuerChain, certificates };
}

/** `[{cert, tcbm}, ...]`; the TCBm is read from the certificate itself. Those that are not available have no PEM. */
function readCertificates(json: string, source: string, file: string): QcnlFile["certificates"] {
  const list = jsonValue(json, source, `${file}: the certificates`);
  if (!Array.isArray(list)) throw unusable(source, file, "has certificates that are no list");
  if (list.length > MAX_PCK_CERTIFICATES) throw unusable(source, file, `has ${list.length} certificates`);
  return list.flatMap((item: unknown) => {
    const cert = typeof item === "object" && item !== null && "cert" in item ? item.cert : undefined;
    if (typeof cert !== "string") throw unusable(source, file, "has a certificate that is no text");
    if (cert === "Not available") return [];
    return [{ certificate: encodedLeafPem(cert, source, `${file}: a certificate`) }];
  });
}
