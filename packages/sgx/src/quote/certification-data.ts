/** What the certification data of a quote holds (spec: DCAP §3). */
export const CERTIFICATION_DATA_TYPE = {
  PPID_CLEARTEXT: 1,
  PPID_RSA2048_ENCRYPTED: 2,
  PPID_RSA3072_ENCRYPTED: 3,
  PCK_LEAF: 4,
  PCK_CHAIN: 5,
  QE_REPORT: 6,
  PLATFORM_MANIFEST: 7,
} as const;

const NAMES: Readonly<Record<number, string>> = {
  1: "PPID in clear text",
  2: "PPID encrypted with RSA-2048-OAEP",
  3: "PPID encrypted with RSA-3072-OAEP",
  4: "PCK leaf certificate",
  5: "PCK certificate chain",
  6: "QE report certification data",
  7: "platform manifest",
};

export function certificationDataTypeName(type: number): string {
  return NAMES[type] ?? `unknown type ${type}`;
}
