import type { Step } from "../crypto.ts";
import type { Memory } from "../memory.ts";
import { Rejection } from "../status.ts";
import { checkIssued } from "../steps/pck-certificate.ts";
import { type Certificate, MissingExtension, parseCertificate, parseCertificateOfAnyKey } from "../x509/certificate.ts";
import { COMMON_NAME, type PckCertificate, parsePckCertificate } from "../x509/chain.ts";
import { decodePemCertificates } from "../x509/pem.ts";
import type { PckChainDocument, PckChainFacts } from "./document.ts";
import { checkPem } from "./form.ts";
import { certificationCa, type Trust, verifyPckCa } from "./issuer.ts";
import { DocumentRefusal, malformed } from "./refusal.ts";

function readPck(pem: string, parse: (der: Uint8Array) => Certificate): PckCertificate {
  checkPem(pem, "the PCK certificate");
  const ders = decodePemCertificates(new TextEncoder().encode(pem));
  const der = ders?.[0];
  if (der === undefined || ders?.length !== 1) return malformed("the PCK certificate is not one PEM certificate");
  try {
    const certificate = parse(der);
    if (!certificate.subject.commonName.includes(COMMON_NAME.pck)) {
      return malformed(`"${certificate.subject.commonName}" is not named as a PCK certificate`);
    }
    const status = "STATUS_SGX_PCK_INVALID_EXTENSIONS";
    const pck = parsePckCertificate(certificate, status, status);
    if (pck.sgx.cutComponents.length > 0) return malformed("an SVN of the PCK certificate does not fit its field");
    return pck;
  } catch (error) {
    if (error instanceof Rejection) throw new DocumentRefusal("malformed", error.message, error.status);
    if (error instanceof MissingExtension) return malformed(error.message);
    throw error;
  }
}

/**
 * Reads one PCK certificate (PEM, alone) for what it says; its signature is not checked, and its key may be of any kind.
 * Throws DocumentRefusal `malformed`.
 */
export function readPckCertificate(pem: string): PckCertificate {
  return readPck(pem, parseCertificateOfAnyKey);
}

/** Checks a PCK certificate under its chain (spec: DCAP §8, §10 B). */
export function* checkPckChain(memory: Memory, document: PckChainDocument, trust: Trust): Step<PckChainFacts> {
  const { certificate, sgx } = readPck(document.certificate, parseCertificate);
  const { root, issuer } = yield* verifyPckCa(memory, "pckIssuerChain", document.issuerChain, trust);
  yield* checkIssued(certificate, issuer, "STATUS_SGX_PCK_INVALID_ISSUER", "the PCK certificate");
  return {
    kind: "pck-chain",
    ca: certificationCa(issuer),
    ppid: sgx.ppid,
    fmspc: sgx.fmspc,
    pceId: sgx.pceId,
    tcb: sgx.tcb,
    issued: certificate.notBefore * 1000,
    nextUpdate: Math.min(certificate.notAfter, issuer.notAfter, root.notAfter) * 1000,
  };
}
