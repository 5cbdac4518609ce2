import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { createAuthority, issueServerCertificate } from "./index.ts";
import type { CertifiedKey } from "./key-pair.ts";

const NOW = new Date("2026-11-21T12:00:00.789Z");
const notBefore = new Date(NOW.getTime() - 600_000);
const notAfter = new Date(NOW.getTime() + 86_400_000);
const YEAR = new Date(NOW.getTime() + 365 * 86_400_000);

const authority = (commonName = "sgx-webhook") => createAuthority({ commonName, notBefore, notAfter: YEAR });
const server = (by: CertifiedKey, dnsNames = ["sgx-webhook.kube-system.svc"]) =>
  issueServerCertificate(by, { dnsNames, ipAddresses: ["127.0.0.1", "::1"], notBefore, notAfter });

test("an authority certifies itself and may sign", async () => {
  const made = await authority();
  const certificate = new X509Certificate(made.certificate);
  assert.ok(certificate.ca);
  assert.equal(certificate.subject, "CN=sgx-webhook");
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(made.privateKey)));
  assert.equal(certificate.validFromDate.toISOString(), "2026-11-21T11:50:00.000Z");
  assert.match(made.privateKey, /^-----BEGIN PRIVATE KEY-----/);
});

test("serial numbers are 16 positive bytes of the randomness given", async () => {
  const made = await createAuthority({ commonName: "a", notBefore, notAfter }, (size) =>
    new Uint8Array(size).fill(255),
  );
  assert.equal(new X509Certificate(made.certificate).serialNumber, `7F${"FF".repeat(15)}`);
  const small = await createAuthority({ commonName: "a", notBefore, notAfter }, (size) => new Uint8Array(size));
  assert.equal(new X509Certificate(small.certificate).serialNumber, `40${"00".repeat(15)}`);
});

test("a server's certificate is for its names, by its authority, and for no authority's work", async () => {
  const by = await authority();
  const certificate = new X509Certificate((await server(by)).certificate);
  const issuer = new X509Certificate(by.certificate);
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  assert.ok(!certificate.ca);
  assert.equal(certificate.checkHost("sgx-webhook.kube-system.svc"), "sgx-webhook.kube-system.svc");
  assert.equal(certificate.checkHost("other.kube-system.svc"), undefined);
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
  assert.equal(certificate.checkIP("10.0.0.1"), undefined);
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
});

test("a certificate never outlives its authority", async () => {
  const by = await createAuthority({ commonName: "short", notBefore, notAfter });
  const made = await issueServerCertificate(by, { dnsNames: ["a"], notBefore, notAfter: YEAR });
  assert.equal(new X509Certificate(made.certificate).validTo, new X509Certificate(by.certificate).validTo);
});

test("another authority of the same name did not issue it", async () => {
  const [one, other] = [await authority(), await authority()];
  const certificate = new X509Certificate((await server(one)).certificate);
  assert.ok(!certificate.checkIssued(new X509Certificate(other.certificate)));
});

test("a name too long for a common name stands in the alternative names alone", async () => {
  const name = `${"a".repeat(63)}.${"b".repeat(63)}.svc`;
  const certificate = new X509Certificate((await server(await authority(), [name])).certificate);
  assert.ok(!certificate.subject);
  assert.equal(certificate.checkHost(name), name);
});

test("without a name, or with a key that is none, nothing is issued", async () => {
  const by = await authority();
  await assert.rejects(issueServerCertificate(by, { dnsNames: [], notBefore, notAfter }), RangeError);
  await assert.rejects(createAuthority({ commonName: "", notBefore, notAfter }), RangeError);
  await assert.rejects(server({ ...by, privateKey: "no key" }));
});

test("a TLS client that trusts old and new authority accepts servers of both, one that trusts neither does not", async () => {
  const now = new Date();
  const validity = { notBefore: new Date(now.getTime() - 60_000), notAfter: new Date(now.getTime() + 3_600_000) };
  const make = () => createAuthority({ commonName: "sgx-webhook", ...validity });
  const [old, next, stranger] = [await make(), await make(), await make()];
  const bundle = old.certificate + next.certificate;
  for (const by of [old, next]) {
    const { certificate, privateKey } = await issueServerCertificate(by, { dnsNames: ["hook.svc"], ...validity });
    const listener = createServer({ cert: certificate, key: privateKey, minVersion: "TLSv1.2" });
    listener.on("tlsClientError", () => {}).on("secureConnection", (socket) => socket.on("error", () => {}).end());
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const at = { port, host: "127.0.0.1" };
    const trusted = connect({ ...at, ca: bundle, servername: "hook.svc" });
    await once(trusted, "secureConnect");
    trusted.destroy();
    const refused = connect({ ...at, ca: stranger.certificate, servername: "hook.svc" });
    await assert.rejects(once(refused, "secureConnect"), { code: /UNABLE_TO_VERIFY|SIGNATURE|ISSUER|SELF_SIGNED/ });
    const misnamed = connect({ ...at, ca: bundle, servername: "other.svc" });
    await assert.rejects(once(misnamed, "secureConnect"), { code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    await new Promise((resolve) => listener.close(resolve));
  }
});

const openssl = (() => {
  try {
    return execFileSync("openssl", ["version"]).toString();
  } catch {
    return undefined;
  }
})();

test("openssl verifies the chain strictly and reads the extensions", { skip: openssl === undefined }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "tls-authority-"));
  try {
    const by = await authority();
    writeFileSync(join(directory, "ca.pem"), by.certificate);
    writeFileSync(join(directory, "server.pem"), (await server(by)).certificate);
    const at = String(Math.floor(NOW.getTime() / 1000));
    const arguments_ = ["verify", "-x509_strict", "-attime", at, "-purpose", "sslserver", "-CAfile", "ca.pem"];
    const run = (...words: string[]) => execFileSync("openssl", words, { cwd: directory }).toString();
    assert.match(run(...arguments_, "-verify_hostname", "sgx-webhook.kube-system.svc", "server.pem"), /server.pem: OK/);
    const text = run("x509", "-in", "server.pem", "-noout", "-text");
    for (const expected of [
      /Signature Algorithm: ecdsa-with-SHA256/,
      /Basic Constraints: critical\s+CA:FALSE/,
      /Key Usage: critical\s+Digital Signature\n/,
      /Extended Key Usage: ?\s+TLS Web Server Authentication\n/,
      /DNS:sgx-webhook.kube-system.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1/,
      /Subject Key Identifier/,
      /Authority Key Identifier/,
    ]) {
      assert.match(text, expected);
    }
    const authorityText = run("x509", "-in", "ca.pem", "-noout", "-text");
    assert.match(authorityText, /Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    assert.match(authorityText, /Key Usage: critical\s+Certificate Sign, CRL Sign/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
