import {
  type Attributes,
  attributeFlagNames,
  bytesEqual,
  certificationDataTypeName,
  decodeReportBody,
  QUOTE_VENDOR_INTEL,
  type Quote,
  type QuoteHeader,
  type ReportBody,
  type TdReport,
  TEE_TYPE,
  toHex,
} from "@confcom/sgx";
import type { TreeNode } from "../terminal/tree.ts";
import { certificateChainNodes } from "./certificate-tree.ts";

const leaf = (name: string, value: string | number, note?: string): TreeNode =>
  note === undefined ? { name, value: String(value) } : { name, value: String(value), note };

const bytes = (name: string, value: Uint8Array, note?: string): TreeNode => leaf(name, toHex(value), note);

/** Every field of a quote of any version, with plain words beside the numbers. */
export function quoteTree(quote: Quote): TreeNode {
  const trailing = quote.trailingBytes === 0 ? "" : `, then ${quote.trailingBytes} bytes of buffer`;
  return {
    name: `${quote.body.kind === "sgx" ? "SGX" : "TDX"} quote`,
    value: `version ${quote.header.version}, ${quote.size} bytes${trailing}`,
    children: [headerNode(quote.header), bodyNode(quote), signatureNode(quote)],
  };
}

function headerNode(header: QuoteHeader): TreeNode {
  const intel = bytesEqual(header.qeVendorId, QUOTE_VENDOR_INTEL);
  const svns =
    header.version === 3
      ? [
          leaf("QE ISVSVN", header.qeSvn, "security version of the quoting enclave at quote time"),
          leaf("PCE ISVSVN", header.pceSvn, "security version of the provisioning certification enclave at quote time"),
        ]
      : [leaf("reserved", `${header.qeSvn}, ${header.pceSvn}`)];
  return {
    name: "header",
    children: [
      leaf("version", header.version),
      leaf("attestation key type", header.attestationKeyType, "ECDSA-256 with P-256"),
      leaf("TEE type", `0x${header.teeType.toString(16)}`, header.teeType === TEE_TYPE.TDX ? "TDX" : "SGX"),
      ...svns,
      bytes("QE vendor id", header.qeVendorId, intel ? "the id verifiers expect" : "not the id verifiers expect"),
      bytes("user data", header.userData, "first 16 bytes: QE_ID, which names the platform"),
    ],
  };
}

function bodyNode(quote: Quote): TreeNode {
  return quote.body.kind === "sgx"
    ? reportBodyNode("enclave report", quote.body.report)
    : { name: `TD report (${quote.body.kind})`, children: tdReportNodes(quote.body.report) };
}

/** The fields of an SGX report body. */
export function reportBodyNode(name: string, body: ReportBody): TreeNode {
  return {
    name,
    children: [
      bytes("MRENCLAVE", body.mrEnclave, "what the enclave is"),
      bytes("MRSIGNER", body.mrSigner, "who signed it"),
      leaf("ISVPRODID", body.isvProdId),
      leaf("ISVSVN", body.isvSvn),
      attributesNode(body.attributes),
      leaf("MISCSELECT", `0x${body.miscSelect.toString(16).padStart(8, "0")}`),
      bytes("CPUSVN", body.cpuSvn),
      bytes("ISVEXTPRODID", body.isvExtProdId),
      bytes("ISVFAMILYID", body.isvFamilyId),
      bytes("CONFIGID", body.configId),
      leaf("CONFIGSVN", body.configSvn),
      bytes("REPORTDATA", body.reportData, "64 bytes chosen by the enclave"),
    ],
  };
}

function attributesNode(attributes: Attributes): TreeNode {
  const names = attributeFlagNames(attributes.flags);
  const debug = names.includes("DEBUG") ? "  a DEBUG enclave: its memory is readable" : "";
  return leaf("ATTRIBUTES", names.join("+") || "none", `XFRM 0x${attributes.xfrm.toString(16)}${debug}`);
}

/** Names of bits of TDATTRIBUTES; the first eight, of which DEBUG is one, make the TD untrusted. */
const TD_ATTRIBUTES: Readonly<Record<number, string>> = {
  0: "DEBUG",
  27: "LASS",
  28: "SEPT_VE_DISABLE",
  29: "MIGRATABLE",
  30: "PKS",
  31: "KL",
  63: "PERFMON",
};

function tdAttributesWords(attributes: Uint8Array): string {
  const set = Array.from({ length: 64 }, (_, bit) => bit).filter(
    (bit) => (((attributes[bit >> 3] as number) >> (bit & 7)) & 1) === 1,
  );
  const names = set.map((bit) => TD_ATTRIBUTES[bit] ?? `bit ${bit}`).join("+") || "none";
  return set.some((bit) => bit < 8) ? `${names}  under DEBUG: its memory is readable` : names;
}

/** The first three of the 16 numbers; the others are not assigned (spec: DCAP §4). */
function teeTcbSvnWords([minor, major, microcode]: Uint8Array): string {
  return `TDX module version ${major}, SVN ${minor}; microcode SVN ${microcode}`;
}

function tdReportNodes(td: TdReport): TreeNode[] {
  return [
    bytes("TEE_TCB_SVN", td.teeTcbSvn, teeTcbSvnWords(td.teeTcbSvn)),
    bytes("MRSEAM", td.mrSeam, "the TDX module"),
    bytes("MRSIGNERSEAM", td.mrSignerSeam, "who signed the TDX module; zero is Intel"),
    bytes("SEAMATTRIBUTES", td.seamAttributes),
    bytes("TDATTRIBUTES", td.tdAttributes, tdAttributesWords(td.tdAttributes)),
    bytes("XFAM", td.xfam, "extended CPU features the TD may use"),
    bytes("MRTD", td.mrTd, "the TD's initial contents"),
    bytes("MRCONFIGID", td.mrConfigId),
    bytes("MROWNER", td.mrOwner),
    bytes("MROWNERCONFIG", td.mrOwnerConfig),
    ...td.rtmr.map((value, i) => bytes(`RTMR${i}`, value)),
    bytes("REPORTDATA", td.reportData, "64 bytes chosen by the TD"),
    ...(td.teeTcbSvn2 === undefined ? [] : [bytes("TEE_TCB_SVN2", td.teeTcbSvn2, "of the module that is loaded now")]),
    ...(td.mrServiceTd === undefined ? [] : [bytes("MRSERVICETD", td.mrServiceTd, "service TDs bound to this one")]),
  ];
}

function signatureNode(quote: Quote): TreeNode {
  const data = quote.signatureData;
  return {
    name: "signature data",
    children: [
      bytes("signature", data.signature, "by the attestation key over header and body"),
      bytes("attestation key", data.attestationKey),
      reportBodyNode("QE report", decodeReportBody(data.qeReport)),
      bytes("QE report signature", data.qeReportSignature, "by the PCK key"),
      bytes("QE authentication data", data.qeAuthData),
      {
        name: "certification data",
        value: `type ${data.certificationDataType}, ${data.certificationData.length} bytes`,
        note: certificationDataTypeName(data.certificationDataType),
        children: certificateChainNodes(data.certificationDataType, data.certificationData),
      },
    ],
  };
}
