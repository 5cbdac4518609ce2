import { createHash } from "node:crypto";
import type { SoftwarePki, TestPlatform } from "@confcom/collateral/testing";
import { SigningKey } from "@confcom/verify/testing";

/** Intel's QE vendor id, which verifiers insist on. */
const VENDOR = Buffer.from("939a7233f79c4ca9940a0db3957f0607", "hex");
const PRODUCT = { sgx: 1, tdx: 2 } as const;
const ATTESTATION = new SigningKey("interop: attestation key");

/**
 * A quote of a platform that only a test PKI knows, laid out by hand (spec: DCAP §3, §4): SGX in version 3, TDX in version 4.
 * `pkiName` is the PKI's name, of which its PCK key is made.
 */
export function testQuote(tee: "sgx" | "tdx", pki: SoftwarePki, pkiName: string, platform: TestPlatform): Buffer {
  const chain = (platform.certificates.certificates[0]?.certificate ?? "") + pki.pckIssuerChain(platform.ca);
  const qe = qeReport(PRODUCT[tee]);
  const certification = Buffer.from(`${chain}\0`);
  const qeSignature = Buffer.from(new SigningKey(`${pkiName}: PCK`).sign(qe));
  const certified = Buffer.concat([
    qe,
    qeSignature,
    u16(AUTHENTICATION.length),
    AUTHENTICATION,
    block(5, certification),
  ]);
  const header = tee === "sgx" ? headerOf(3, 0) : headerOf(4, 0x81);
  const signed = Buffer.concat([header, tee === "sgx" ? Buffer.alloc(384, 0) : tdReport()]);
  const signature = Buffer.concat([Buffer.from(ATTESTATION.sign(signed)), publicKey()]);
  const data = Buffer.concat([signature, tee === "sgx" ? certified : block(6, certified)]);
  return Buffer.concat([signed, u32(data.length), data]);
}

const AUTHENTICATION = Buffer.alloc(32, 0x0a);

function publicKey(): Buffer {
  return Buffer.from(ATTESTATION.point.subarray(1));
}

function headerOf(version: 3 | 4, teeType: number): Buffer {
  return Buffer.concat([u16(version), u16(2), u32(teeType), Buffer.alloc(4), VENDOR, Buffer.alloc(20)]);
}

/** As the test PKI's identities describe the enclave: MRSIGNER C0.., ISVSVN 8, no debug. */
function qeReport(product: number): Buffer {
  const report = Buffer.alloc(384);
  report.writeUInt8(0x11, 48);
  report.fill(0xaa, 64, 96);
  report.fill(0xc0, 128, 160);
  report.writeUInt16LE(product, 256);
  report.writeUInt16LE(8, 258);
  createHash("sha256").update(publicKey()).update(AUTHENTICATION).digest().copy(report, 320);
  return report;
}

/** TEE_TCB_SVN: module 1.1, which the test PKI's TDX_01 knows; MRSIGNERSEAM and attributes zero, as it wants them. */
function tdReport(): Buffer {
  const report = Buffer.alloc(584);
  report.set([1, 1], 0);
  report.fill(0xbb, 16, 64);
  // SEPT_VE_DISABLE, without which dcap-qvl takes no TD.
  report.writeUInt8(0x10, 123);
  return report;
}

function block(type: number, content: Buffer): Buffer {
  return Buffer.concat([u16(type), u32(content.length), content]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
