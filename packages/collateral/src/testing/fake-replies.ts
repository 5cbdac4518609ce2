import { fromHex, toHex } from "@confcom/sgx";
import { pemText } from "@confcom/verify/testing";
import type { CollateralAnswer } from "../answer.ts";
import type { ApiVersion } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import type { Reply } from "./fake-faults.ts";
import { tcbObject } from "./test-documents.ts";

/**
 * Answers as the three kinds of service write them: names of headers, encodings and content types of spec: DCAP §12-§14
 * and of Intel's and Microsoft's public descriptions. Constructed from these, not recorded.
 */

/** Intel's provisioning service, the reference cache, Azure's metadata service. */
export type ServiceForm = "pcs" | "pccs" | "thim";

export const TEST_REQUEST_ID = "0123456789abcdef0123456789abcdef";

const TYPE = {
  pem: "application/x-pem-file",
  der: "application/pkix-crl",
  json: "application/json",
} as const;

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function reply(type: string, body: Uint8Array | string, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status: 200,
    headers: { "Content-Type": type, "Request-ID": TEST_REQUEST_ID, ...headers },
    body: typeof body === "string" ? encode(body) : body,
  };
}

function caType(form: ServiceForm, ca: string): string {
  return form === "pccs" ? ca.toUpperCase() : ca;
}

/** TCBm as Azure describes it: PCESVN most significant byte first. */
function bigEndianTcbm(tcbm: string): string {
  return tcbm.slice(0, 32) + tcbm.slice(34, 36) + tcbm.slice(32, 34);
}

export interface ReplyShape {
  readonly form: ServiceForm;
  readonly version: ApiVersion;
  /** Of a CRL: `der`, `pem`, or what the service does unasked. */
  readonly encoding: string | null;
  /** Seconds; Azure says it in the body of pckcert too. */
  readonly maxAge: number | undefined;
}

/** The reply to a request whose answer is this. */
export function replyOf(answer: CollateralAnswer, shape: ReplyShape): Reply {
  const { form, version, encoding } = shape;
  switch (answer.kind) {
    case "pck-certificate": {
      const chain = encodeURIComponent(answer.issuerChain);
      if (form === "thim") {
        const content = {
          version: 1,
          pckCert: answer.certificate,
          "sgx-Tcbm": bigEndianTcbm(answer.tcbm),
          "sgx-Pck-Certificate-Issuer-Chain": chain,
          ...(shape.maxAge === undefined ? {} : { cacheMaxAge: String(shape.maxAge) }),
        };
        return reply(`${TYPE.json}; charset=utf-8`, JSON.stringify(content));
      }
      return reply(TYPE.pem, answer.certificate, {
        "SGX-PCK-Certificate-Issuer-Chain": chain,
        "SGX-TCBm": answer.tcbm,
        "SGX-FMSPC": answer.fmspc,
        "SGX-PCK-Certificate-CA-Type": caType(form, answer.ca),
      });
    }
    case "pck-crl": {
      const headers = { "SGX-PCK-CRL-Issuer-Chain": encodeURIComponent(answer.issuerChain) };
      if (encoding === "der") return reply(TYPE.der, answer.crl, headers);
      const text = form === "pccs" ? toHex(answer.crl) : crlPem(answer.crl);
      return reply(TYPE.pem, text, headers);
    }
    case "tcb-info":
      return reply(TYPE.json, answer.body, {
        [version === 3 ? "SGX-TCB-Info-Issuer-Chain" : "TCB-Info-Issuer-Chain"]: encodeURIComponent(answer.issuerChain),
      });
    case "identity":
      return reply(TYPE.json, answer.body, {
        "SGX-Enclave-Identity-Issuer-Chain": encodeURIComponent(answer.issuerChain),
      });
    case "root-ca-crl":
      // The reference cache's /rootcacrl is hexadecimal under a binary type.
      return reply(TYPE.der, form === "pcs" ? answer.crl : toHex(answer.crl));
    case "crl":
      return reply(TYPE.der, answer.crl);
  }
}

function crlPem(der: Uint8Array): string {
  return pemText(der).replaceAll("CERTIFICATE", "X509 CRL");
}

/** GET or POST pckcerts: every certificate of a platform. */
export function certificatesReply(platform: PckCertificates, version: ApiVersion): Reply {
  const list = platform.certificates.map(({ tcbm, certificate }) => {
    const bytes = fromHex(tcbm, 18);
    const tcb = {
      components: bytes.subarray(0, 16),
      pceSvn: (bytes[16] as number) + 256 * (bytes[17] as number),
    };
    return {
      tcb: tcbObject(tcb, version),
      tcbm,
      cert: certificate === undefined ? "Not available" : encodeURIComponent(certificate),
    };
  });
  return reply(TYPE.json, JSON.stringify(list), {
    "SGX-PCK-Certificate-Issuer-Chain": encodeURIComponent(platform.issuerChain),
    "SGX-FMSPC": platform.fmspc,
    "SGX-PCK-Certificate-CA-Type": platform.ca,
  });
}

/** What the reference cache says with its statuses. */
const PCCS_WORDS: Readonly<Record<number, string>> = {
  400: "Invalid request parameters.",
  401: "Authentication failed.",
  404: "No cache data for this platform.",
  461: "The platform was not found in the cache.",
  462: "Certificates are not available for certain TCBs.",
  500: "Internal server error occurred.",
  502: "Unable to retrieve the collateral from the Intel SGX PCS.",
  503: "Server is currently unable to process the request.",
};

export function errorReply(status: number, form: ServiceForm): Reply {
  const words = form === "pccs" ? (PCCS_WORDS[status] ?? "") : "";
  return { status, headers: { "Request-ID": TEST_REQUEST_ID, "Content-Type": "text/html" }, body: encode(words) };
}
