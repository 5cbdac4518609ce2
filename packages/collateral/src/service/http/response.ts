import { createHash } from "node:crypto";
import type { CollateralAnswer } from "../../answer.ts";
import type { ApiVersion } from "../../request.ts";
import { PCCS_STATUS, type PccsStatus } from "../status.ts";
import { issuerChain } from "./issuer-chain.ts";

/** An answer built once and sent many times. */
export interface PreparedResponse {
  readonly status: number;
  /** Names and values in turn, as writeHead takes them. The first two are Request-ID's, set before each sending. */
  readonly head: string[];
  /** Text is ASCII: head and text leave in one write. */
  readonly body: string | Buffer;
  readonly length: number;
  readonly etag: string | undefined;
}

/** How an answer is written, which its URL decides. */
export interface Representation {
  readonly version: ApiVersion;
  /** `text`: hexadecimal, PEM for certificates. `azure`: as az-dcap-client reads it (spec: DCAP §14). */
  readonly form: "text" | "der" | "azure";
  /** For az-dcap-client, which fails without Cache-Control and, for a CRL, without an issuer chain. */
  readonly azure: boolean;
}

/** Seconds that az-dcap-client keeps an answer: long enough to spare the service, short enough for a revocation to arrive. */
const AZURE_MAX_AGE = 3600;

const HTML = "text/html; charset=utf-8";
const PEM = "application/x-pem-file; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";
const CRL = "application/pkix-crl";

/** Headers and body of a 200 (spec: DCAP §12; types with the charset that the reference's framework adds to text). */
export function answerResponse(
  answer: CollateralAnswer,
  { version, form, azure }: Representation,
  stale: boolean,
  rootCrlChain?: string,
): PreparedResponse {
  const maxAge = stale ? 0 : AZURE_MAX_AGE;
  const freshness = [
    ...(azure ? ["Cache-Control", `max-age=${maxAge}`] : []),
    ...(stale ? ["Warning", '110 - "Response is Stale"'] : []),
  ];
  switch (answer.kind) {
    case "pck-certificate": {
      const chain = issuerChain(answer.issuerChain).encoded;
      const head = [
        "SGX-TCBm",
        answer.tcbm,
        "SGX-FMSPC",
        answer.fmspc,
        "SGX-PCK-Certificate-CA-Type",
        answer.ca.toUpperCase(),
        "SGX-PCK-Certificate-Issuer-Chain",
        chain,
        ...freshness,
      ];
      if (form !== "azure") return prepared(200, head, PEM, answer.certificate);
      const body = JSON.stringify({
        pckCert: answer.certificate,
        "sgx-Pck-Certificate-Issuer-Chain": chain,
        "sgx-Tcbm": answer.tcbm,
        "sgx-Fmspc": answer.fmspc,
        "sgx-Pck-Certificate-CA-Type": answer.ca.toUpperCase(),
        cacheMaxAge: `${maxAge}`,
      });
      return prepared(200, head, JSON_TYPE, body);
    }
    case "pck-crl":
      return crlResponse(answer.crl, form, PEM, [
        "SGX-PCK-CRL-Issuer-Chain",
        issuerChain(answer.issuerChain).encoded,
        ...freshness,
      ]);
    case "root-ca-crl": {
      const chain = rootCrlChain === undefined ? [] : ["SGX-PCK-CRL-Issuer-Chain", issuerChain(rootCrlChain).encoded];
      return crlResponse(answer.crl, form, `${CRL}; charset=utf-8`, [...chain, ...freshness]);
    }
    case "crl":
      return crlResponse(answer.crl, "der", CRL, freshness);
    case "tcb-info": {
      const name = version === 3 ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain";
      return prepared(200, [name, issuerChain(answer.issuerChain).encoded, ...freshness], JSON_TYPE, answer.body);
    }
    case "identity": {
      const chain = issuerChain(answer.issuerChain).encoded;
      return prepared(200, ["SGX-Enclave-Identity-Issuer-Chain", chain, ...freshness], JSON_TYPE, answer.body);
    }
  }
}

/** A status with the text that belongs to it, or another one. */
export function textResponse(status: PccsStatus, text: string = PCCS_STATUS[status]): PreparedResponse {
  return prepared(status, ["X-Content-Type-Options", "nosniff"], HTML, text);
}

/** A refusal that the reference has no text for. */
export function refusalResponse(status: number, text: string, headers: readonly string[] = []): PreparedResponse {
  return prepared(status, ["X-Content-Type-Options", "nosniff", ...headers], HTML, text);
}

export function jsonResponse(headers: readonly string[], value: unknown): PreparedResponse {
  return prepared(200, headers, JSON_TYPE, JSON.stringify(value));
}

/** What the reference's framework answers to a path or method that there is not. `path` is echoed escaped and bounded. */
export function nothingHere(method: string, path: string): PreparedResponse {
  const shown = path.slice(0, 256).replace(/[^\w/.~%:@!$()*+,;=-]/g, (character) => `&#${character.charCodeAt(0)};`);
  const page = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Error</title>
</head>
<body>
<pre>Cannot ${method} ${shown}</pre>
</body>
</html>
`;
  const head = ["Content-Security-Policy", "default-src 'none'", "X-Content-Type-Options", "nosniff"];
  return prepared(404, head, HTML, page);
}

/** OPTIONS of a path that there is: its methods. */
export function allowedMethods(methods: readonly string[]): PreparedResponse {
  const allowed = methods.join(",");
  return prepared(200, ["Allow", allowed], HTML, allowed);
}

function crlResponse(
  crl: Uint8Array,
  form: Representation["form"],
  textType: string,
  head: string[],
): PreparedResponse {
  const der = Buffer.from(crl.buffer, crl.byteOffset, crl.length);
  if (form === "der") return prepared(200, head, CRL, der);
  return prepared(200, head, textType, form === "azure" ? pem(der) : der.toString("hex"));
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN X509 CRL-----\n${lines.join("\n")}\n-----END X509 CRL-----\n`;
}

function prepared(
  status: number,
  headers: readonly string[],
  type: string,
  content: string | Buffer,
): PreparedResponse {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  const ascii = typeof content === "string" && bytes.length === content.length;
  // Weak, of length and SHA-1, as the reference's framework makes them; what is refused has none.
  const etag =
    status === 200
      ? `W/"${bytes.length.toString(16)}-${createHash("sha1").update(bytes).digest("base64").slice(0, 27)}"`
      : undefined;
  const own = [
    "Content-Type",
    type,
    "Content-Length",
    `${bytes.length}`,
    ...(etag === undefined ? [] : ["ETag", etag]),
  ];
  // Not grown: an array that has grown keeps room, which a hundred thousand answers would pay for.
  const head = ["Request-ID", ""].concat(headers, own);
  return { status, head, body: ascii ? content : bytes, length: bytes.length, etag };
}
