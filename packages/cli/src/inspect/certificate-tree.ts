import { CERTIFICATION_DATA_TYPE, decodePckExtension, type PckExtension, toHex } from "@confcom/sgx";
import { type Certificate, decodePemCertificates, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import type { TreeNode } from "../terminal/tree.ts";

/** The certificates of a quote's certification data, decoded; nothing when they are of another type. */
export function certificateChainNodes(type: number, data: Uint8Array): TreeNode[] {
  if (type !== CERTIFICATION_DATA_TYPE.PCK_CHAIN && type !== CERTIFICATION_DATA_TYPE.PCK_LEAF) {
    return [{ name: "data", value: toHex(data) }];
  }
  const blocks = decodePemCertificates(data);
  if (blocks === undefined || blocks.length === 0) return [{ name: "unreadable", note: "no PEM certificates in here" }];
  return blocks.map(certificateNode);
}

function certificateNode(der: Uint8Array): TreeNode {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (error) {
    return { name: "certificate", value: "unreadable", note: error instanceof Error ? error.message : String(error) };
  }
  return {
    name: "certificate",
    value: certificate.subject.commonName,
    children: [
      { name: "subject", value: certificate.subject.text },
      { name: "issuer", value: certificate.issuer.text },
      { name: "serial number", value: toHex(certificate.serialNumber) },
      { name: "valid", value: `${isoDate(certificate.notBefore)} to ${isoDate(certificate.notAfter)}` },
      { name: "public key", value: toHex(certificate.publicKey) },
      ...extensionNodes(sgxExtensionOf(certificate)),
    ],
  };
}

export const isoDate = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

function extensionNodes(der: Uint8Array | undefined): TreeNode[] {
  if (der === undefined) return [];
  try {
    return [{ name: "SGX extension", children: pckNodes(decodePckExtension(der)) }];
  } catch (error) {
    return [
      { name: "SGX extension", value: "unreadable", note: error instanceof Error ? error.message : String(error) },
    ];
  }
}

const SGX_TYPES: Readonly<Record<number, string>> = { 0: "standard", 1: "scalable", 2: "scalable with integrity" };

function pckNodes(extension: PckExtension): TreeNode[] {
  const { platform } = extension;
  return [
    { name: "PPID", value: toHex(extension.ppid), note: "names the physical platform" },
    { name: "TCB components", value: [...extension.tcb.components].join(" ") },
    { name: "PCESVN", value: String(extension.tcb.pceSvn) },
    { name: "CPUSVN", value: toHex(extension.tcb.cpuSvn) },
    { name: "PCE-ID", value: toHex(extension.pceId) },
    { name: "FMSPC", value: toHex(extension.fmspc), note: "the platform's family, which TCB info is issued for" },
    { name: "SGX type", value: String(extension.sgxType), note: SGX_TYPES[extension.sgxType] ?? "unknown" },
    ...(platform === undefined
      ? []
      : [
          { name: "platform instance id", value: toHex(platform.platformInstanceId) },
          { name: "dynamic platform", value: String(platform.dynamicPlatform) },
          { name: "cached keys", value: String(platform.cachedKeys) },
          { name: "SMT enabled", value: String(platform.smtEnabled) },
        ]),
  ];
}
