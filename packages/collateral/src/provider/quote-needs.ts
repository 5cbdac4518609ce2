import { CERTIFICATION_DATA_TYPE, decodePckExtension, decodeQuote, type Quote, TEE_TYPE } from "@confcom/sgx";
import { decodePemCertificates, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import { pckCaNamed } from "../check/pck-ca.ts";
import { CollateralError, messageOf } from "../errors.ts";
import { upperHex } from "../hexadecimal.ts";
import type { CertificationCa, PckCertificateRequest, Tee } from "../request.ts";

/** What has to be known of a quote to ask for its collateral. */
export interface QuoteNeeds {
  readonly tee: Tee;
  /** What the PCK certificate in the quote says, or how to get the certificate. */
  readonly platform: { readonly fmspc: string; readonly ca: CertificationCa } | PckCertificateRequest;
}

/**
 * Reads what a quote (version 3, 4 or 5; SGX or TDX) needs. Nothing of it is believed: it only says what is asked for. Throws
 * SgxFormatError for what is no quote, CollateralError PARAMETER for a quote that does not say which platform it is of.
 */
export function quoteNeeds(bytes: Uint8Array): QuoteNeeds {
  const quote = decodeQuote(bytes);
  const tee = quote.header.teeType === TEE_TYPE.TDX ? "tdx" : "sgx";
  const { certificationDataType: type, certificationData: data } = quote.signatureData;
  switch (type) {
    case CERTIFICATION_DATA_TYPE.PCK_CHAIN:
    case CERTIFICATION_DATA_TYPE.PCK_LEAF:
      return { tee, platform: platformOf(data) };
    case CERTIFICATION_DATA_TYPE.PPID_CLEARTEXT:
      return { tee, platform: pckRequest(quote, 16) };
    case CERTIFICATION_DATA_TYPE.PPID_RSA2048_ENCRYPTED:
      return { tee, platform: pckRequest(quote, 256) };
    case CERTIFICATION_DATA_TYPE.PPID_RSA3072_ENCRYPTED:
      return { tee, platform: pckRequest(quote, 384) };
    default:
      throw new CollateralError("PARAMETER", `the quote's certification data of type ${type} does not name a platform`);
  }
}

function platformOf(pem: Uint8Array) {
  try {
    for (const der of decodePemCertificates(pem) ?? []) {
      const certificate = parseCertificate(der);
      const extension = sgxExtensionOf(certificate);
      if (extension === undefined) continue;
      return {
        fmspc: upperHex(decodePckExtension(extension).fmspc),
        ca: pckCaNamed(certificate.issuer.commonName),
      };
    }
  } catch (cause) {
    const why = messageOf(cause);
    throw new CollateralError("PARAMETER", `the quote's PCK certificate cannot be read: ${why}`, { cause });
  }
  throw new CollateralError("PARAMETER", "the quote has no PCK certificate, so its platform is not known");
}

/** PPID, CPUSVN (16), PCESVN and PCEID (2 each, little-endian); the QE's ID is in the header (spec: DCAP §3, §6). */
function pckRequest({ header, signatureData }: Quote, ppidSize: number): PckCertificateRequest {
  const data = signatureData.certificationData;
  if (data.length !== ppidSize + 20)
    throw new CollateralError("PARAMETER", `the quote's PPID data has ${data.length} bytes, not ${ppidSize + 20}`);
  const at = (start: number, size: number) => upperHex(data.subarray(ppidSize + start, ppidSize + start + size));
  return {
    kind: "pck-certificate",
    qeId: upperHex(header.userData.subarray(0, 16)),
    cpuSvn: at(0, 16),
    pceSvn: at(16, 2),
    pceId: at(18, 2),
    // Only this form is what the provisioning service decrypts.
    ...(ppidSize === 384 ? { encryptedPpid: upperHex(data.subarray(0, 384)) } : {}),
  };
}
