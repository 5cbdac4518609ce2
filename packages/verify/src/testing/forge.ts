import { hash } from "node:crypto";
import { concatBytes, decodeQuote, fromHex, REPORT_OFFSET, toHex, writeU16, writeU32 } from "@confcom/sgx";
import { parseAnyCertificate } from "../x509/certificate.ts";
import { parseCrl } from "../x509/crl.ts";
import { decodePemCertificates } from "../x509/pem.ts";
import { pemText } from "./pem-text.ts";
import { SigningKey } from "./signing-key.ts";
import { quoteChain, type Subject } from "./subject.ts";

const KEYS = {
  root: new SigningKey("root"),
  intermediate: new SigningKey("intermediate"),
  pck: new SigningKey("pck"),
  tcbSigning: new SigningKey("tcb signing"),
  attestation: new SigningKey("attestation"),
};

export type CertificateRole = "root" | "intermediate" | "pck" | "tcbSigning";

/** What is signed in a subject, without any signature: change a part, and {@link sign} makes it verifiable again. */
export interface Unsigned {
  readonly name: string;
  readonly now: Date;
  /** Layout of the signature data; the header inside `headerAndBody` may say something else. */
  readonly version: number;
  readonly headerAndBody: Uint8Array;
  /** 384 bytes. The first half of its report data is filled in. */
  readonly qeReport: Uint8Array;
  readonly qeAuthData: Uint8Array;
  /** DER of the four TBSCertificates. */
  readonly certificates: Readonly<Record<CertificateRole, Uint8Array>>;
  /** DER of the two TBSCertLists. */
  readonly rootCaCrl: Uint8Array;
  readonly pckCrl: Uint8Array;
  readonly tcbInfo: string;
  readonly qeIdentity: string;
}

/** The same bytes with one public key for another. */
function withKey(toBeSigned: Uint8Array, old: Uint8Array, key: SigningKey): Uint8Array {
  const at = Buffer.from(toBeSigned).indexOf(old);
  if (at < 0) throw new Error("a certificate without its public key");
  const out = toBeSigned.slice();
  out.set(key.point, at);
  return out;
}

function unsignedCertificate(der: Uint8Array | undefined, key: SigningKey): Uint8Array {
  if (der === undefined) throw new Error("a chain is too short");
  const { signedBytes, publicKey } = parseAnyCertificate(der);
  return withKey(signedBytes, publicKey, key);
}

/** Takes the signatures off a subject and puts keys of our own in the place of those we do not have. */
export function unsign(subject: Subject): Unsigned {
  const { quote: bytes, collateral, name, now } = subject;
  const quote = decodeQuote(bytes);
  const [pck, intermediate, root] = quoteChain(bytes);
  const [tcbSigning] = decodePemCertificates(new TextEncoder().encode(collateral.tcb_info_issuer_chain)) ?? [];
  return {
    name: `${name}, signed again`,
    now,
    version: quote.header.version,
    headerAndBody: quote.signedBytes.slice(),
    qeReport: quote.signatureData.qeReport.slice(),
    qeAuthData: quote.signatureData.qeAuthData.slice(),
    certificates: {
      root: unsignedCertificate(root, KEYS.root),
      intermediate: unsignedCertificate(intermediate, KEYS.intermediate),
      pck: unsignedCertificate(pck, KEYS.pck),
      tcbSigning: unsignedCertificate(tcbSigning, KEYS.tcbSigning),
    },
    rootCaCrl: parseCrl(fromHex(collateral.root_ca_crl)).signedBytes,
    pckCrl: parseCrl(fromHex(collateral.pck_crl)).signedBytes,
    tcbInfo: collateral.tcb_info,
    qeIdentity: collateral.qe_identity,
  };
}

/** A part is signed once for as long as someone holds it. */
const signedParts = new WeakMap<Uint8Array, Uint8Array>();

function signedPart(toBeSigned: Uint8Array, key: SigningKey): Uint8Array {
  let signed = signedParts.get(toBeSigned);
  if (signed === undefined) {
    signed = key.signDer(toBeSigned);
    signedParts.set(toBeSigned, signed);
  }
  return signed;
}

const hexOfParts = new WeakMap<Uint8Array, string>();

function crlText(toBeSigned: Uint8Array, key: SigningKey): string {
  let text = hexOfParts.get(toBeSigned);
  if (text === undefined) {
    text = toHex(signedPart(toBeSigned, key));
    hexOfParts.set(toBeSigned, text);
  }
  return text;
}

function u16(value: number): Uint8Array {
  const out = new Uint8Array(2);
  writeU16(out, 0, value);
  return out;
}

function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  writeU32(out, 0, value);
  return out;
}

/** A quote of its parts, with these certification data. */
function signedQuote(parts: Unsigned, certificationData: Uint8Array): Uint8Array {
  const { headerAndBody, qeAuthData, version } = parts;
  const attestationKey = KEYS.attestation.point.subarray(1);
  const qeReport = parts.qeReport.slice();
  const named = hash("sha256", concatBytes(attestationKey, qeAuthData), "buffer");
  if (qeReport.length >= REPORT_OFFSET.REPORTDATA + 32) qeReport.set(named, REPORT_OFFSET.REPORTDATA);
  const certified = concatBytes(
    qeReport,
    KEYS.pck.sign(qeReport),
    u16(qeAuthData.length),
    qeAuthData,
    u16(5),
    u32(certificationData.length),
    certificationData,
  );
  const wrapped = version === 3 ? [certified] : [u16(6), u32(certified.length), certified];
  const signatureData = concatBytes(KEYS.attestation.sign(headerAndBody), attestationKey, ...wrapped);
  return concatBytes(headerAndBody, u32(signatureData.length), signatureData);
}

/** Signatures over JSON by its text: the last few, because most subjects share their documents. */
const signedTexts = new Map<string, string>();

function signedText(text: string): string {
  let signature = signedTexts.get(text);
  if (signature === undefined) {
    signature = toHex(KEYS.tcbSigning.sign(new TextEncoder().encode(text)));
    if (signedTexts.size >= 64) signedTexts.clear();
    signedTexts.set(text, signature);
  }
  return signature;
}

/** The subject of these parts, everything signed; its root is our own. */
export function sign(parts: Unsigned): Subject {
  const root = signedPart(parts.certificates.root, KEYS.root);
  const intermediate = signedPart(parts.certificates.intermediate, KEYS.root);
  const pck = signedPart(parts.certificates.pck, KEYS.intermediate);
  const tcbSigning = signedPart(parts.certificates.tcbSigning, KEYS.root);
  const chain = new TextEncoder().encode(pemText(pck, intermediate, root));
  const issuerChain = pemText(tcbSigning, root);
  return {
    name: parts.name,
    now: parts.now,
    quote: signedQuote(parts, chain),
    trustedRoot: KEYS.root.point,
    rootCertificate: root,
    collateral: {
      pck_crl_issuer_chain: pemText(intermediate, root),
      root_ca_crl: crlText(parts.rootCaCrl, KEYS.root),
      pck_crl: crlText(parts.pckCrl, KEYS.intermediate),
      tcb_info_issuer_chain: issuerChain,
      tcb_info: parts.tcbInfo,
      tcb_info_signature: signedText(parts.tcbInfo),
      qe_identity_issuer_chain: issuerChain,
      qe_identity: parts.qeIdentity,
      qe_identity_signature: signedText(parts.qeIdentity),
    },
  };
}
