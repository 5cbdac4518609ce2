import { bytesEqual } from "@confcom/sgx";
import { oidFromText } from "@confcom/sgx/der";
import type { Certificate } from "./x509/certificate.ts";

/**
 * Non-critical extension with which a software platform marks its PCK certificates, so that its quotes are told from a
 * hardware platform's even where its root is trusted. An arc below Microsoft's branch for identifiers made of UUIDs: the
 * whole 128 bits in one arc, as under 2.25, is refused by several X.509 parsers.
 */
export const SOFTWARE_PLATFORM_OID = "1.2.840.113556.1.8000.2554.11351.25377.48023.16970.40088.7580455.4613232";

const MARKER = oidFromText(SOFTWARE_PLATFORM_OID);

export function isSoftwarePlatform(pckCertificate: Certificate): boolean {
  return pckCertificate.extensions.some(({ oid }) => bytesEqual(oid, MARKER));
}
