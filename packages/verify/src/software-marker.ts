import { bytesEqual, SOFTWARE_PLATFORM_OID } from "@confcom/sgx";
import { oidFromText } from "@confcom/sgx/der";
import type { Certificate } from "./x509/certificate.ts";

const MARKER = oidFromText(SOFTWARE_PLATFORM_OID);

/** Whether a PCK certificate carries the software platform's marker. */
export function isSoftwarePlatform(pckCertificate: Certificate): boolean {
  return pckCertificate.extensions.some(({ oid }) => bytesEqual(oid, MARKER));
}
