import assert from "node:assert/strict";
import { verify as verifySignature, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { toHex } from "@confcom/sgx";
import { AUTHORITY_FILE } from "./authority-record.ts";
import { openProvisioningAuthority } from "./open-authority.ts";
import {
  BINDING,
  DAY_MS,
  PCK_KEY,
  pckRequest,
  pemCertificates,
  START,
  seededRandom,
  TemporaryState,
} from "./testing/temporary-authority.ts";

const SERVICE = { serves: "platforms" } as const;
const ppid = (byte: number) => new Uint8Array(16).fill(byte);

test("an authority behind a service certifies many platforms, each with its own PPID and instance, under one root", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options({ binding: SERVICE }));
  const instances = new Set<string>();
  for (const byte of [1, 2, 3, 1]) {
    const leaf = await authority.issuePckCertificate(pckRequest("default", { ppid: ppid(byte) }));
    const certificate = new X509Certificate(leaf);
    assert.ok(certificate.raw.includes(Buffer.from(ppid(byte))), "the SGX extension names the PPID");
    const [issuer, root] = pemCertificates(authority.pckIssuerChain).map((pem) => new X509Certificate(pem));
    assert.ok(issuer && root && certificate.verify(issuer.publicKey) && issuer.verify(root.publicKey));
    assert.equal(root.toString(), authority.rootCertificatePem);
    // The element after its object identifier: OCTET STRING of 16 bytes (spec: DCAP §8, 1.2.840.113741.1.13.1.6).
    const at = certificate.raw.indexOf(Buffer.from("060a2a864886f84d010d01060410", "hex")) + 14;
    instances.add(certificate.raw.subarray(at, at + 16).toString("hex"));
  }
  assert.equal(instances.size, 3, "one instance for each platform, the same every time");
});

test("it keeps no platform's certificates, and refuses to act as one platform's authority", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options({ binding: SERVICE }));
  const before = state.files();
  await authority.issuePckCertificate(pckRequest());
  await assert.rejects(authority.pckChain(pckRequest()), { code: "ISSUER_REFUSED" });
  assert.deepEqual(state.files(), before);
});

test("a state directory is of one platform or of a service, for good: the other use is refused and nothing changes", async (t) => {
  for (const [made, other] of [
    [SERVICE, BINDING],
    [BINDING, SERVICE],
  ] as const) {
    const state = new TemporaryState(t);
    await openProvisioningAuthority(state.options({ binding: made }));
    const before = state.files();
    await assert.rejects(openProvisioningAuthority(state.options({ binding: other })), {
      code: "STATE_DAMAGED",
      message: new RegExp(AUTHORITY_FILE),
    });
    assert.deepEqual(state.files(), before);
  }
});

test("it has the same root after a restart", async (t) => {
  const state = new TemporaryState(t);
  const first = await openProvisioningAuthority(state.options({ binding: SERVICE }));
  const second = await openProvisioningAuthority(state.options({ binding: SERVICE, random: seededRandom("other") }));
  assert.equal(second.rootCertificatePem, first.rootCertificatePem);
});

test("TCB info of version 2 says what version 3 says, signed by the same key, and follows it when it is signed anew", async (t) => {
  const state = new TemporaryState(t);
  const authority = await openProvisioningAuthority(state.options({ binding: SERVICE }));
  for (const day of [0, 25]) {
    state.atDay(day);
    const { tcb_info, tcb_info_issuer_chain } = await authority.collateral();
    const { text, signature } = await authority.tcbInfoVersion2();
    const [v2, v3] = [JSON.parse(text), JSON.parse(tcb_info)];
    assert.equal(v2.version, 2);
    assert.equal(v2.issueDate, new Date(START.getTime() + day * DAY_MS).toISOString().replace(/\.\d+Z/, "Z"));
    assert.deepEqual(
      [v2.issueDate, v2.nextUpdate, v2.fmspc, v2.pceId, v2.tcbEvaluationDataNumber],
      [v3.issueDate, v3.nextUpdate, v3.fmspc, v3.pceId, v3.tcbEvaluationDataNumber],
    );
    v3.tcbLevels.forEach((level: { tcb: { sgxtcbcomponents: { svn: number }[]; pcesvn: number } }, i: number) => {
      const { pcesvn, ...components } = v2.tcbLevels[i].tcb;
      assert.deepEqual(
        Object.values(components),
        level.tcb.sgxtcbcomponents.map(({ svn }) => svn),
      );
      assert.equal(Object.keys(components)[15], "sgxtcbcomp16svn");
      assert.equal(pcesvn, level.tcb.pcesvn);
      assert.equal(v2.tcbLevels[i].tcbStatus, v3.tcbLevels[i].tcbStatus);
    });
    const signer = new X509Certificate(pemCertificates(tcb_info_issuer_chain)[0] as string);
    const key = { key: signer.publicKey, dsaEncoding: "ieee-p1363" } as const;
    assert.ok(verifySignature("sha256", Buffer.from(text), key, Buffer.from(signature, "hex")));
  }
});

test("what is no platform is refused as ever", async (t) => {
  const authority = await openProvisioningAuthority(new TemporaryState(t).options({ binding: SERVICE }));
  const { publicPoint } = PCK_KEY;
  for (const changes of [
    { ppid: new Uint8Array(15) },
    { pceId: 1 },
    { cpuSvn: new Uint8Array(16) },
    { pckPublicKey: publicPoint.subarray(1) },
    { pckPublicKey: new Uint8Array(64).fill(7) },
  ]) {
    const request = pckRequest("default", changes);
    await assert.rejects(authority.issuePckCertificate(request), { code: "ISSUER_REFUSED" }, toHex(request.cpuSvn));
  }
});
