import assert from "node:assert/strict";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { certificateWithQuote, pemOf, publicKeyInfo } from "./testing/certificate.ts";
import { confcom, makeSoftwareQuote, scratch } from "./testing/confcom.ts";

const path = scratch();
const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const otherKey = generateKeyPairSync("ec", { namedCurve: "P-384" });

before(async () => {
  await makeSoftwareQuote(path, createHash("sha256").update(publicKeyInfo(key.publicKey)).digest("hex"));
  const quote = new Uint8Array(readFileSync(path("software.bin")));
  const certificate = certificateWithQuote(key.publicKey, quote);
  writeFileSync(path("certificate.der"), certificate);
  writeFileSync(path("certificate.pem"), `text before\n${pemOf(certificate)}`);
  writeFileSync(path("stolen.pem"), pemOf(certificateWithQuote(otherKey.publicKey, quote)));
  writeFileSync(path("empty"), "");
});

describe("certificates that carry a quote", () => {
  it("are verified with the binding of their key, as DER, PEM, hex or base64", () => {
    const der = readFileSync(path("certificate.der"));
    writeFileSync(path("certificate.hex"), der.toString("hex"));
    writeFileSync(path("certificate.b64"), der.toString("base64"));
    for (const form of ["der", "pem", "hex", "b64"]) {
      const { status, lines, out } = confcom("verify", path(`certificate.${form}`), "--state", path("state"));
      assert.equal(status, 0, form);
      assert.match(lines[0] as string, /^VERIFIED OK: /);
      assert.match(out, /✓ key binding: the report data is the SHA-256 of the public key/);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the subject of the certificate tries to drive the terminal
      assert.doesNotMatch(out, /\u001b/);
    }
  });

  it("are not verified if the quote is for another key: 2", () => {
    const { status, lines, out } = confcom("verify", path("stolen.pem"), "--state", path("state"));
    assert.equal(status, 2);
    assert.match(
      lines[0] as string,
      /^NOT VERIFIED 0xE001 UNEXPECTED: SHA-256 of the public key .* but the report data is /,
    );
    assert.match(out, /✗ key binding: .*STATUS_CERTIFICATE_KEY_NOT_BOUND/);
    const json = JSON.parse(confcom("verify", path("stolen.pem"), "--state", path("state"), "--json").out);
    assert.deepEqual(
      [json.verified, json.result, json.policy, json.certificate.keyBinding.bound],
      [false, "UNSPECIFIED", null, false],
    );
  });

  it("are not verified if they carry none: 2", () => {
    const { status, lines } = confcom("verify", path("root.pem"), "--state", path("state"));
    assert.equal(status, 2);
    assert.match(lines[0] as string, /^NOT VERIFIED 0xE01D QUOTE_FORMAT_UNSUPPORTED: the certificate carries no quote/);
  });

  it("are shown by inspect, with their quote", () => {
    const { status, lines, out } = confcom("inspect", path("certificate.pem"));
    assert.equal(status, 0);
    assert.match(lines[0] as string, /^certificate /);
    assert.match(out, /quote in 1\.2\.840\.113741\.1337\.6 {2}gramine RA-TLS quote/);
    assert.match(out, /✓ key binding:/);
    assert.match(out, /SGX quote version 3/);
    assert.match(confcom("inspect", path("stolen.pem")).out, /✗ key binding:/);
    const json = JSON.parse(confcom("inspect", path("certificate.der"), "--json").out);
    assert.deepEqual([json.certificate.keyBinding.bound, json.quote.header.version], [true, 3]);
    assert.equal(confcom("inspect", path("root.pem")).status, 65);
    assert.equal(confcom("inspect", path("empty")).status, 65);
  });
});
