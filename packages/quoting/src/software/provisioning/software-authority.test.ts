import assert from "node:assert/strict";
import { constants, createPublicKey, publicEncrypt, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { PlatformError } from "../../errors.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import { COLLATERAL_FILE } from "./signed-collateral.ts";
import { signedParts } from "./testing/profile-der.ts";
import {
  PCK_KEY,
  pckRequest,
  pemCertificates,
  QE,
  seededRandom,
  TemporaryState,
} from "./testing/temporary-authority.ts";

const PCK_FILE = "pck-4820f3376ae6b2f2034d3b7a4b48a778-16.json";
const serialOf = (pem: string | undefined) => new X509Certificate(pem ?? "").serialNumber.toLowerCase();

/** The CRL Number of a CRL in hex: the INTEGER inside the extension 2.5.29.20. */
function crlNumber(crlHex: string): number {
  const found = /0603551d1404(?:..)02(..)([0-9a-f]+)/.exec(crlHex);
  const [, size, rest] = found ?? [];
  return Number.parseInt((rest ?? "").slice(0, 2 * Number.parseInt(size ?? "", 16)), 16);
}

test("the PCK chain is leaf, Platform CA and root, each signed by the next", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { chainPem } = await authority.pckChain(pckRequest());
  const [leaf, ca, root] = pemCertificates(chainPem).map((pem) => new X509Certificate(pem));
  assert.ok(leaf && ca && root);
  assert.ok(leaf.verify(ca.publicKey) && ca.verify(root.publicKey) && root.verify(root.publicKey));
  assert.ok(leaf.checkIssued(ca) && ca.checkIssued(root));
  assert.equal(root.toString(), authority.rootCertificatePem);
});

test("a certificate is issued once for each TCB, and is the same after a restart", async (t) => {
  const state = new TemporaryState(t);
  const first = await openProvisioningAuthority(state.options());
  const chain = await first.pckChain(pckRequest());
  assert.deepEqual(await first.pckChain(pckRequest()), chain);
  state.atDay(365);
  const second = await openProvisioningAuthority(state.options({ random: seededRandom("other") }));
  assert.deepEqual(await second.pckChain(pckRequest()), chain);
  assert.notEqual((await second.pckChain(pckRequest("upgraded"))).chainPem, chain.chainPem);
});

test("another key or another PPID gets another certificate", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { chainPem } = await authority.pckChain(pckRequest());
  const otherPpid = await authority.pckChain(pckRequest("default", { ppid: new Uint8Array(16) }));
  assert.notEqual(otherPpid.chainPem, chainPem);
  const again = await authority.pckChain(pckRequest());
  assert.notEqual(serialOf(again.chainPem), serialOf(chainPem), "the earlier one is not kept beside it");
});

test("a damaged, missing or nearly ended certificate is issued anew, under the same CA", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const seen = new Set<string>();
  const issue = async () => {
    const [leaf, ...issuers] = pemCertificates((await authority.pckChain(pckRequest())).chainPem);
    seen.add(serialOf(leaf));
    return issuers.join("");
  };
  const issuers = await issue();
  state.directory().replace(PCK_FILE, Buffer.from(state.files().get(PCK_FILE)?.replace(/M/, "N") ?? ""));
  assert.equal(await issue(), issuers);
  state.directory().moveAside(PCK_FILE, state.now);
  assert.equal(await issue(), issuers);
  assert.equal(seen.size, 3);
  state.atDay(7 * 365 - 60);
  await issue();
  assert.equal(seen.size, 3, "more than 60 days remain, counting leap days");
  state.atDay(7 * 365 - 50);
  await issue();
  assert.equal(seen.size, 4);
});

test("two processes that issue at the same moment hand out one certificate", async (t) => {
  const state = new TemporaryState(t);
  const authorities = [
    await openProvisioningAuthority(state.options()),
    await openProvisioningAuthority(state.options({ random: seededRandom("second process") })),
  ];
  const chains = await Promise.all(authorities.map((authority) => authority.pckChain(pckRequest())));
  assert.deepEqual(chains[0], chains[1]);
});

test("a certificate never outlives its issuer, and none is issued after the issuer's end", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  state.atDay(14 * 365.25);
  const [leaf, ca] = pemCertificates((await authority.pckChain(pckRequest())).chainPem);
  const end = (pem: string | undefined) => new X509Certificate(pem ?? "").validTo;
  assert.equal(end(leaf), end(ca));
  state.atDay(15 * 365.25 + 1);
  await assert.rejects(authority.pckChain(pckRequest()), { code: "ISSUER_EXPIRED" });
});

test("a request for an unknown TCB, PCEID, key or PPID is refused and nothing is stored", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const before = state.files();
  for (const changes of [
    { cpuSvn: new Uint8Array(16) },
    { cpuSvn: new Uint8Array(15) },
    { pceSvn: 15 },
    { pceSvn: 17 },
    { pceSvn: Number.NaN },
    { pceId: 1 },
    { ppid: new Uint8Array(17) },
    { pckPublicKey: new Uint8Array(64) },
    { pckPublicKey: PCK_KEY.publicPoint.subarray(0, 63) },
    { pckPublicKey: new Uint8Array(65) },
  ]) {
    await assert.rejects(authority.pckChain(pckRequest("default", changes)), { code: "ISSUER_REFUSED" });
  }
  assert.deepEqual(state.files(), before);
});

test("collateral is the nine members; the two CAs differ in the PCK CRL and its chain only", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const platform = await authority.collateral();
  const processor = await authority.collateral("processor");
  assert.deepEqual(Object.keys(platform), [
    "pck_crl_issuer_chain",
    "root_ca_crl",
    "pck_crl",
    "tcb_info_issuer_chain",
    "tcb_info",
    "tcb_info_signature",
    "qe_identity_issuer_chain",
    "qe_identity",
    "qe_identity_signature",
  ]);
  const { pck_crl, pck_crl_issuer_chain } = processor;
  assert.deepEqual({ ...platform, pck_crl, pck_crl_issuer_chain }, processor);
  assert.notEqual(platform.pck_crl, pck_crl);
  const chains = [platform.pck_crl_issuer_chain, processor.pck_crl_issuer_chain, platform.tcb_info_issuer_chain];
  for (const chain of chains) assert.equal(pemCertificates(chain)[1], authority.rootCertificatePem);
});

test("collateral is handed out as it was until under ten days remain, then signed anew with higher CRL numbers", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const first = await authority.collateral();
  assert.equal(crlNumber(first.pck_crl), 1);
  // The documents count whole seconds and the clock stands in the middle of one.
  state.atDay(20 - 1 / 86_400);
  assert.deepEqual(await authority.collateral(), first);
  assert.deepEqual(await (await openProvisioningAuthority(state.options())).collateral(), first);
  state.atDay(20);
  const second = await authority.collateral();
  assert.notEqual(second.tcb_info, first.tcb_info);
  assert.deepEqual([second.root_ca_crl, second.pck_crl].map(crlNumber), [2, 2]);
  assert.match(second.qe_identity, /"issueDate":"2026-03-24T05:06:07Z","nextUpdate":"2026-04-23T05:06:07Z"/);
  assert.equal(second.tcb_info_issuer_chain, first.tcb_info_issuer_chain, "the TCB signing certificate stays");
});

test("opening signs anew what is about to expire", async (t) => {
  const state = new TemporaryState(t);
  await openProvisioningAuthority(state.options());
  const before = state.files().get(COLLATERAL_FILE);
  state.atDay(25);
  await openProvisioningAuthority(state.options());
  assert.notEqual(state.files().get(COLLATERAL_FILE), before);
});

test("collateral that is damaged, missing or from the future, or of another QE, is made again", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  let latest = crlNumber((await authority.collateral()).pck_crl);
  const isNewer = async (from = authority) => {
    const number = crlNumber((await from.collateral()).pck_crl);
    const newer = number > latest;
    latest = number;
    return newer;
  };
  assert.equal(await isNewer(), false);
  state.directory().replace(COLLATERAL_FILE, Buffer.from("{"));
  assert.ok(await isNewer(), "damaged");
  state.directory().moveAside(COLLATERAL_FILE, state.now);
  assert.ok(await isNewer(), "missing");
  state.atDay(-1);
  assert.ok(await isNewer(), "the clock went back");
  assert.equal(await isNewer(), false);
  const newerQe = await openProvisioningAuthority(state.options({ qe: { ...QE, isvSvn: 12 } }));
  assert.ok(await isNewer(newerQe), "the QE is another one");
  assert.match((await newerQe.collateral()).qe_identity, /"isvsvn":12/);
});

test("the TCB signing certificate is renewed before it ends", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const signer = async () => pemCertificates((await authority.collateral()).tcb_info_issuer_chain)[0] ?? "";
  const first = new X509Certificate(await signer());
  state.atDay(7 * 365 - 50);
  const second = new X509Certificate(await signer());
  assert.notEqual(second.serialNumber, first.serialNumber);
  assert.ok(second.publicKey.equals(first.publicKey));
  assert.ok(second.validToDate.getTime() > first.validToDate.getTime());
});

test("a revoked certificate is on the Platform CA's CRL from the next collateral on, and after restarts", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const serial = serialOf((await authority.pckChain(pckRequest())).chainPem);
  const before = await authority.collateral();
  assert.ok(!before.pck_crl.includes(serial));
  await authority.revoke(serial.toUpperCase());
  const after = await authority.collateral();
  assert.ok(after.pck_crl.includes(`0214${serial}`));
  assert.ok(crlNumber(after.pck_crl) > crlNumber(before.pck_crl));
  assert.ok(!after.root_ca_crl.includes(serial));
  assert.ok(!(await authority.collateral("processor")).pck_crl.includes(serial));
  state.atDay(40);
  const reopened = await (await openProvisioningAuthority(state.options())).collateral();
  assert.ok(reopened.pck_crl.includes(`0214${serial}`));
  assert.equal(serialOf((await authority.pckChain(pckRequest())).chainPem), serial, "it stays revoked, not reissued");
});

test("revoking again changes nothing; the CAs and the TCB signer are revoked on the root's CRL", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { pck_crl_issuer_chain } = await authority.collateral("processor");
  const serial = serialOf(pck_crl_issuer_chain);
  await authority.revoke(serial, "cessationOfOperation", "root");
  const once = await authority.collateral();
  assert.ok(once.root_ca_crl.includes(`0214${serial}`));
  assert.ok(once.root_ca_crl.includes("0603551d1504030a0105"), "reason 5");
  await authority.revoke(serial, "keyCompromise", "root");
  assert.deepEqual(await authority.collateral(), once);
});

test("what is no serial number is not revoked", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options());
  const before = state.files();
  for (const serial of ["", "4", "0x41", "4g", "41".repeat(21), "41:42"]) {
    await assert.rejects(authority.revoke(serial), { code: "OPTION_INVALID" }, serial);
  }
  assert.deepEqual(state.files(), before);
});

test("revocations asked for at once are all kept", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const serials = Array.from({ length: 8 }, (_, i) => `4${i}`.repeat(20));
  await Promise.all(serials.map((serial) => authority.revoke(serial, "superseded")));
  const { pck_crl } = await authority.collateral();
  for (const serial of serials) assert.ok(pck_crl.includes(serial));
  const { tbs, signature } = signedParts(Buffer.from(pck_crl, "hex"));
  assert.ok(tbs.length > 8 * 40 && signature.length > 64);
});

test("a PPID encrypted to the authority's RSA-3072 key is decrypted; anything else is refused", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options());
  const { n, e } = authority.encryptionKey;
  assert.equal(n.length, 384);
  assert.ok((n[0] as number) >= 0x80, "all 3072 bits are used");
  assert.deepEqual([...e], [0, 1, 0, 1]);
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64url");
  const key = createPublicKey({
    key: { kty: "RSA", n: base64url(n), e: base64url(e.subarray(1)) },
    format: "jwk",
  });
  const encrypt = (message: Uint8Array, oaepHash: string) =>
    publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, message);
  const ppid = Uint8Array.from({ length: 16 }, (_, i) => i);
  assert.deepEqual(authority.decryptPpid(encrypt(ppid, "sha256")), ppid);
  for (const wrong of [encrypt(ppid, "sha1"), encrypt(new Uint8Array(17), "sha256"), new Uint8Array(384)]) {
    assert.throws(() => authority.decryptPpid(wrong), PlatformError);
  }
});
