import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { decodePckExtension, toHex } from "@confcom/sgx";
import { decodePemCertificates, parseCertificate, sgxExtensionOf } from "@confcom/verify";
import { ManualClock, pckRequest, softwarePki, TEST_FMSPC, TEST_TCB_LEVELS } from "./index.ts";

function certificates(pem: string): X509Certificate[] {
  return (decodePemCertificates(new TextEncoder().encode(pem)) ?? []).map((der) => new X509Certificate(der));
}

test("every certificate of the test PKI is signed by the next one of its chain", () => {
  const pki = softwarePki();
  const { issuerChain, certificates: issued } = pki.addPlatform().certificates;
  assert.equal(issued.length, TEST_TCB_LEVELS.length);
  for (const chain of [...issued.map(({ certificate }) => certificate + issuerChain), pki.tcbIssuerChain]) {
    const list = certificates(chain);
    list.forEach((certificate, i) => {
      assert.ok(certificate.verify((list[i + 1] ?? certificate).publicKey));
    });
  }
});

test("a PCK certificate says what was asked for", () => {
  const pem = softwarePki().pckCertificate({ ca: "processor", fmspc: "00906ED50000", pceId: "0100" });
  const der = decodePemCertificates(new TextEncoder().encode(pem))?.[0] as Uint8Array;
  const sgx = decodePckExtension(sgxExtensionOf(parseCertificate(der)) as Uint8Array);
  assert.deepEqual([toHex(sgx.fmspc), toHex(sgx.pceId), sgx.tcb.pceSvn], ["00906ed50000", "0001", 13]);
});

test("the answer to a raw TCB is the highest certificate not above it", () => {
  const pki = softwarePki();
  const platform = pki.addPlatform();
  const answer = pki.answer(pckRequest(platform, { components: new Uint8Array(16).fill(6), pceSvn: 40 }));
  assert.equal(answer?.tcbm, "05050505050505050505050505050505" + "0B00");
  assert.equal(pki.answer(pckRequest(platform, { components: new Uint8Array(16), pceSvn: 40 })), undefined);
});

test("PKIs of one name are the same, of two names share nothing", () => {
  assert.equal(softwarePki().rootPem, softwarePki().rootPem);
  assert.notDeepEqual(softwarePki({ name: "other" }).trustedRoot, softwarePki().trustedRoot);
  assert.equal(
    softwarePki().tcbInfo().body,
    softwarePki().answer({
      kind: "tcb-info",
      tee: "sgx",
      fmspc: TEST_FMSPC,
      update: "standard",
      version: 4,
    })?.body,
  );
});

test("a manual clock fires what is due, earliest first, and nothing else", () => {
  const clock = new ManualClock(1000);
  const fired: [string, number][] = [];
  const at = (name: string, ms: number) => clock.setTimeout(() => fired.push([name, clock.now()]), ms);
  at("b", 20);
  clock.setTimeout(() => at("c", 5), 10);
  clock.clearTimeout(at("never", 1));
  at("late", 26);
  clock.advance(25);
  assert.deepEqual(fired, [
    ["c", 1015],
    ["b", 1020],
  ]);
  assert.deepEqual([clock.now(), clock.waiting], [1025, 1]);
});
