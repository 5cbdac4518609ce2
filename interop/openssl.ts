import type { Places } from "./confcom.ts";
import { lastWords, run, runOrThrow } from "./program.ts";

const WAY_OUT = "apt-get install openssl";

/** SubjectPublicKeyInfo of a P-256 key, up to and with the byte that says "uncompressed point". */
const P256_SPKI_PREFIX = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

/** What the checks ask of Debian's openssl command. */
export class OpenSsl {
  readonly #places: Places;

  constructor(places: Places) {
    this.#places = places;
  }

  /** Undefined when `openssl verify` accepts the certificate with every CRL checked, else what it said. */
  async refusesCertificate(options: {
    certificate: string;
    untrusted?: string;
    root: string;
    crls: readonly Buffer[];
  }): Promise<string | undefined> {
    const crls = await Promise.all(options.crls.map((der) => this.#pemCrl(der)));
    const args = ["verify", "-x509_strict", "-crl_check_all", "-CAfile", this.#places.file("root.pem", options.root)];
    args.push("-CRLfile", this.#places.file("crls.pem", crls.join("")));
    if (options.untrusted !== undefined) args.push("-untrusted", this.#places.file("ca.pem", options.untrusted));
    args.push(this.#places.file("certificate.pem", options.certificate));
    const result = await run("openssl", args, { wayOut: WAY_OUT });
    return result.status === 0 ? undefined : lastWords(result);
  }

  /** Undefined when the CRL's signature is the issuer's. `openssl crl` says so in words, not in its exit status. */
  async refusesCrl(der: Buffer, issuer: string): Promise<string | undefined> {
    const args = ["crl", "-inform", "DER", "-in", this.#places.file("crl.der", der), "-noout"];
    args.push("-verify", "-CAfile", this.#places.file("issuer.pem", issuer));
    const result = await run("openssl", args, { wayOut: WAY_OUT });
    const said = lastWords(result);
    return result.status === 0 && /verify OK/i.test(said) ? undefined : said;
  }

  /** Whether the raw r and s (64 bytes) is an ECDSA-SHA256 signature of the data under the PEM public key. */
  async signatureHolds(publicKeyPem: string, data: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const args = ["dgst", "-sha256", "-verify", this.#places.file("key.pem", publicKeyPem)];
    args.push(
      "-signature",
      this.#places.file("signature.der", derSignature(signature)),
      this.#places.file("data", data),
    );
    return (await run("openssl", args, { wayOut: WAY_OUT })).status === 0;
  }

  /** The public key of a certificate, PEM. */
  async publicKey(certificatePem: string): Promise<string> {
    const args = ["x509", "-noout", "-pubkey", "-in", this.#places.file("certificate.pem", certificatePem)];
    return (await runOrThrow("openssl", args, { wayOut: WAY_OUT })).toString("utf8");
  }

  /** A certificate's text as openssl prints it. */
  async certificateText(certificatePem: string): Promise<string> {
    const args = ["x509", "-noout", "-text", "-in", this.#places.file("certificate.pem", certificatePem)];
    return (await runOrThrow("openssl", args, { wayOut: WAY_OUT })).toString("utf8");
  }

  /** AES-128-CMAC. */
  async cmac(key: Uint8Array, data: Uint8Array): Promise<Buffer> {
    const macKey = `hexkey:${Buffer.from(key).toString("hex")}`;
    const args = ["mac", "-cipher", "AES-128-CBC", "-macopt", macKey, "-binary"];
    args.push("-in", this.#places.file("data", data), "CMAC");
    return runOrThrow("openssl", args, { wayOut: WAY_OUT });
  }

  async #pemCrl(der: Buffer): Promise<string> {
    const args = ["crl", "-inform", "DER", "-in", this.#places.file("crl.der", der), "-outform", "PEM"];
    return (await runOrThrow("openssl", args, { wayOut: WAY_OUT })).toString("utf8");
  }
}

/** PEM of a P-256 public key given as x and y (64 bytes), as quotes carry it. */
export function p256KeyToPem(xy: Uint8Array): string {
  const spki = Buffer.concat([P256_SPKI_PREFIX, xy]).toString("base64");
  return `-----BEGIN PUBLIC KEY-----\n${spki.match(/.{1,64}/g)?.join("\n")}\n-----END PUBLIC KEY-----\n`;
}

function derSignature(raw: Uint8Array): Buffer {
  const integer = (bytes: Uint8Array): Buffer => {
    let first = 0;
    while (first < bytes.length - 1 && bytes[first] === 0) first++;
    const minimal = Buffer.from(bytes.subarray(first));
    const positive = (minimal[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), minimal]) : minimal;
    return Buffer.concat([Buffer.of(0x02, positive.length), positive]);
  };
  const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32, 64))]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}
