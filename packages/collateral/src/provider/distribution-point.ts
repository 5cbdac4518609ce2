import { decodePemCertificates, parseCertificate } from "@confcom/verify";

/** id-ce-cRLDistributionPoints is 2.5.29.31. */
const CRL_DISTRIBUTION_POINTS = 31;
const URI = 0x86;

/**
 * Where the last certificate of a chain, its root, says that its CRL is: QCNL asks there (spec: DCAP §13). Undefined if it
 * says nothing that could be asked. The chain must have been checked.
 */
export function rootDistributionPoint(chain: string): string | undefined {
  try {
    const der = decodePemCertificates(new TextEncoder().encode(chain))?.at(-1);
    const value = der && parseCertificate(der).extensions.find(({ arc }) => arc === CRL_DISTRIBUTION_POINTS)?.value;
    if (value === undefined) return undefined;
    // A GeneralName of kind URI, of less than 128 bytes as all of them are: found by its tag and length.
    for (let at = 0; at + 2 < value.length; at++) {
      const size = value[at + 1] as number;
      if (value[at] !== URI || size >= 128 || at + 2 + size > value.length) continue;
      const url = new TextDecoder().decode(value.subarray(at + 2, at + 2 + size));
      if (/^https?:\/\/[\x21-\x7e]+$/.test(url) && URL.canParse(url)) return url;
    }
  } catch {
    // What cannot be read says nothing.
  }
  return undefined;
}
