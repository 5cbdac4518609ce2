import { decodePckExtension } from "@confcom/sgx";
import { decodePemCertificates, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import { pckCaNamed } from "../check/pck-ca.ts";
import { tcbmOf, upperHex } from "../hexadecimal.ts";
import type { CertificationCa } from "../request.ts";
import { unusable } from "./unusable.ts";

/** What a PCK certificate says of itself, as headers and requests write it: upper-case hexadecimal. */
export interface PckLeafFacts {
  readonly fmspc: string;
  readonly ca: CertificationCa;
  /** CPUSVN and PCESVN in little-endian bytes. */
  readonly tcbm: string;
}

/** Reads the SGX extension and the issuer of a PEM leaf; nothing is verified. Fails with SOURCE_ANSWER. */
export function pckLeafFacts(pem: string, source: string): PckLeafFacts {
  try {
    const [der] = decodePemCertificates(new TextEncoder().encode(pem)) ?? [];
    if (der === undefined) throw new Error("no certificate");
    const certificate = parseCertificate(der);
    const extension = sgxExtensionOf(certificate);
    if (extension === undefined) throw new Error("no SGX extension");
    const { fmspc, tcb } = decodePckExtension(extension);
    return {
      fmspc: upperHex(fmspc),
      ca: pckCaNamed(certificate.issuer.commonName),
      tcbm: tcbmOf(tcb),
    };
  } catch (error) {
    throw unusable(source, "the PCK certificate", "cannot be read", error);
  }
}
