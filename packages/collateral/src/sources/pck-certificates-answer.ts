import { MAX_PCK_CERTIFICATES } from "../check/index.ts";
import type { HttpAnswer } from "../http/index.ts";
import type { PckCertificates } from "../source.ts";
import { jsonValue, utf8Text } from "./json-answer.ts";
import { encodedLeafPem, issuerChainPem } from "./pem-answer.ts";
import { unusable } from "./unusable.ts";

const PART = "the list of PCK certificates";

/**
 * Reads the PCS's answer to pckcerts: a JSON array of `{tcb, tcbm, cert}`, `cert` URL-encoded or "Not available"; FMSPC,
 * CA and chain in headers. Fails with SOURCE_ANSWER.
 */
export function pckCertificatesAnswer(answer: HttpAnswer, source: string): PckCertificates {
  const { headers } = answer;
  const list = jsonValue(utf8Text(answer.body, source, PART), source, PART);
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_PCK_CERTIFICATES) {
    throw unusable(source, PART, `is not a list of 1 to ${MAX_PCK_CERTIFICATES}`);
  }
  const ca = headers["sgx-pck-certificate-ca-type"]?.toLowerCase();
  if (ca !== "processor" && ca !== "platform") {
    throw unusable(source, "SGX-PCK-Certificate-CA-Type", "is neither processor nor platform");
  }
  const fmspc = headers["sgx-fmspc"]?.toUpperCase() ?? "";
  if (!/^[0-9A-F]{12}$/.test(fmspc)) throw unusable(source, "SGX-FMSPC", "is not 12 hexadecimal digits");
  const issuerChain = issuerChainPem(
    headers["sgx-pck-certificate-issuer-chain"],
    source,
    "SGX-PCK-Certificate-Issuer-Chain",
  );
  const certificates = list.map((entry: unknown) => {
    const { tcbm, cert } = (typeof entry === "object" && entry !== null ? entry : {}) as Record<string, unknown>;
    if (typeof tcbm !== "string" || !/^[0-9A-Fa-f]{36}$/.test(tcbm) || typeof cert !== "string") {
      throw unusable(source, PART, "has an entry without tcbm or cert");
    }
    const certificate = cert === "Not available" ? undefined : encodedLeafPem(cert, source, "a PCK certificate");
    return { tcbm: tcbm.toUpperCase(), certificate };
  });
  return { ca, fmspc, issuerChain, certificates };
}
