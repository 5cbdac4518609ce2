import assert from "node:assert/strict";
import { get } from "node:https";
import { type TestContext, test } from "node:test";
import { type FakeServiceOptions, fakeService, pckRequest, softwarePki, TEST_FMSPC, testTls } from "./index.ts";

async function service(t: TestContext, options: Omit<FakeServiceOptions, "pki"> = {}) {
  const pki = softwarePki();
  const fake = await fakeService({ pki, ...options });
  t.after(() => fake.close());
  return { pki, fake };
}

test("a platform's certificate is had by its request in the three forms", async (t) => {
  for (const form of ["pcs", "pccs", "thim"] as const) {
    const { pki, fake } = await service(t, { form });
    const platform = pki.addPlatform({ ca: "processor" });
    const request = pckRequest(platform);
    const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid } = request;
    const url = `${fake.base}pckcert?qeid=${qeId}&encrypted_ppid=${encryptedPpid}&cpusvn=${cpuSvn}&pcesvn=${pceSvn}&pceid=${pceId}`;
    const response = await fetch(url);
    assert.equal(response.status, 200);
    const answer = pki.answer(request);
    assert.ok(answer);
    const text = await response.text();
    if (form === "thim") {
      const content = JSON.parse(text) as Record<string, string>;
      assert.equal(content.pckCert, answer.certificate);
      assert.equal(content["sgx-Tcbm"], `${cpuSvn}000D`);
    } else {
      assert.equal(text, answer.certificate);
      assert.equal(response.headers.get("sgx-tcbm"), `${cpuSvn}0D00`);
      assert.equal(response.headers.get("sgx-fmspc"), TEST_FMSPC);
      const type = form === "pccs" ? "PROCESSOR" : "processor";
      assert.equal(response.headers.get("sgx-pck-certificate-ca-type"), type);
    }
    assert.equal(fake.count("pckcert"), 1);
    assert.equal(fake.count("tcb?"), 0);
  }
});

test("certificates are listed to those who have the key, by PPID and by manifest", async (t) => {
  const { pki, fake } = await service(t, { apiKey: "secret" });
  const lowest = { components: new Uint8Array(16), pceSvn: 1 };
  const platform = pki.addPlatform({ notAvailable: [lowest] });
  const url = `${fake.base}pckcerts?encrypted_ppid=${platform.encryptedPpid}&pceid=0000`;
  assert.equal((await fetch(url)).status, 401);
  const headers = { "Ocp-Apim-Subscription-Key": "secret" };
  const listed = await fetch(url, { headers });
  const list = (await listed.json()) as { tcbm: string; cert: string }[];
  assert.deepEqual(
    list.map(({ cert }) => (cert === "Not available" ? undefined : decodeURIComponent(cert))),
    platform.certificates.certificates.map(({ certificate }) => certificate),
  );
  const body = JSON.stringify({ platformManifest: platform.platformManifest, pceid: "0000" });
  const posted = await fetch(`${fake.base}pckcerts`, { method: "POST", body, headers });
  assert.deepEqual(await posted.json(), list);
  assert.equal(posted.headers.get("sgx-fmspc"), TEST_FMSPC);
});

test("each fault does what its name says", async (t) => {
  const { pki, fake } = await service(t);
  const url = `${fake.base}tcb?fmspc=${TEST_FMSPC}&update=standard`;
  const right = await (await fetch(url)).text();
  const once = { path: "/tcb", times: 1 } as const;
  fake.fail({ kind: "status", status: 429, headers: { "Retry-After": "7" } }, once);
  const busy = await fetch(url);
  assert.deepEqual([busy.status, busy.headers.get("retry-after")], [429, "7"]);
  fake.fail({ kind: "content-type", value: "text/html" }, once);
  assert.equal((await fetch(url)).headers.get("content-type"), "text/html");
  fake.fail({ kind: "header", name: "tcb-info-issuer-chain" }, once);
  assert.equal((await fetch(url)).headers.get("tcb-info-issuer-chain"), null);
  fake.fail({ kind: "wrong-signature" }, once);
  const forged = await (await fetch(url)).text();
  assert.equal(forged.length, right.length);
  assert.equal(forged.slice(0, -3), right.slice(0, -3));
  assert.notEqual(forged, right);
  fake.fail({ kind: "expired" }, once);
  const old = JSON.parse(await (await fetch(url)).text()) as { tcbInfo: { nextUpdate: string } };
  assert.ok(Date.parse(old.tcbInfo.nextUpdate) < pki.clock.now());
  fake.fail({ kind: "cut" }, once);
  await assert.rejects(async () => (await fetch(url)).text());
  fake.fail({ kind: "reset" }, once);
  await assert.rejects(fetch(url));
  fake.fail({ kind: "delay", ms: 1 }, once);
  assert.equal(await (await fetch(url)).text(), right);
  for (const kind of ["endless", "hang"] as const) {
    const stop = new AbortController();
    fake.fail({ kind }, once);
    setTimeout(() => stop.abort(), 20);
    await assert.rejects(async () => (await fetch(url, { signal: stop.signal })).text());
  }
  assert.equal(await (await fetch(url)).text(), right);
});

test("a service that is away refuses, and comes back where it was", async (t) => {
  const { fake } = await service(t);
  const url = `${fake.base}qe/identity`;
  await fake.refuse();
  await assert.rejects(fetch(url));
  await fake.accept();
  assert.equal((await fetch(url)).status, 200);
});

test("over TLS its certificate is good for those who trust its CA alone", async (t) => {
  const tls = testTls();
  const { fake } = await service(t, { tls, form: "pccs" });
  const status = (ca: string | undefined) =>
    new Promise((resolve, reject) => {
      get(`${fake.base}rootcacrl`, { ca, agent: false }, (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      }).on("error", reject);
    });
  assert.equal(await status(tls.ca), 200);
  await assert.rejects(status(undefined));
  await assert.rejects(status(testTls("another").ca));
});
