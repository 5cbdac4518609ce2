import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { withCertificationData } from "@confcom/collateral";
import { decodePckExtension, decodeQuote } from "@confcom/sgx";
import { decodePemCertificates, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import { confcom, makeSoftwareQuote, scratch } from "../verify/testing/confcom.ts";

// A quote that names its platform by PPID, as platforms without a quote provider make them, from a directory with its certificate.

const path = scratch();

before(async () => {
  await makeSoftwareQuote(path, "00".repeat(32));
  assert.equal(confcom("collateral", "export", "--state", path("state"), "--out", path("tree")).status, 0);
  const quote = readFileSync(path("software.bin"));
  const pem = new TextDecoder().decode(decodeQuote(quote).signatureData.certificationData).replace("\0", "");
  const [leaf = "", ...issuers] = pem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((part) => part !== "");
  const [der] = decodePemCertificates(new TextEncoder().encode(leaf)) ?? [];
  const { tcb, pceId } = decodePckExtension(sgxExtensionOf(parseCertificate(der as Uint8Array)) as Uint8Array);
  const raw = Buffer.concat([tcb.cpuSvn, Buffer.of(tcb.pceSvn & 0xff, tcb.pceSvn >> 8)]);
  const pce = Buffer.from(pceId.slice().reverse());
  writeFileSync(path("ppid.bin"), withCertificationData(quote, 3, Buffer.concat([Buffer.alloc(384, 0xa5), raw, pce])));
  const upper = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex").toUpperCase();
  const below = path(`with-pck/sgx/certification/v4/pckcert/${upper(quote.subarray(28, 44))}/${upper(pce)}`);
  mkdirSync(below, { recursive: true });
  writeFileSync(`${below}/${upper(raw)}.pem`, leaf);
  writeFileSync(`${below}/${upper(raw)}.issuer-chain.pem`, issuers.join(""));
});

describe("a quote with PPID data", () => {
  const sources = ["--source", path("with-pck"), "--source", path("tree")];
  const terms = ["--trust-root", path("root.pem"), "--cache", "none"];

  it("is verified with the certificate that a source has", () => {
    const { status, lines, err } = confcom("verify", path("ppid.bin"), ...sources, ...terms);
    assert.equal(status, 0, err);
    assert.equal(lines[0], "VERIFIED OK: The quote is genuine and the platform up to date.");
  });

  it("of which no source has the certificate is not: the message names the platform and every source", () => {
    const { status, err } = confcom("verify", path("ppid.bin"), "--source", path("tree"), ...terms);
    assert.equal(status, 76);
    assert.match(err, /NOT_FOUND: the PCK certificate of the platform with QE ID [0-9A-F]{32} cannot be had/);
  });

  it("has collateral that is saved with a warning, since nine fields have no place for the certificate", () => {
    const { status, err } = confcom(
      "collateral",
      "fetch",
      path("ppid.bin"),
      "--out",
      path("o.json"),
      ...sources,
      ...terms,
    );
    assert.equal(status, 0, err);
    assert.match(err, /warning: the quote has no PCK certificate/);
  });
});
