import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { httpClient } from "../http/index.ts";
import type { CrlRequest } from "../request.ts";
import type { CollateralUpstream } from "../source.ts";
import { pcsSource } from "../sources/index.ts";
import { fakeService, ManualClock, pckRequest, type SoftwarePki, softwarePki, TEST_FMSPC } from "../testing/index.ts";
import { genuineChecks } from "./genuine-checks.ts";
import { type ServiceBench, serviceBench, statusOf } from "./testing/service-bench.ts";

const CLOCK = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, ms: number) => setTimeout(callback, ms),
  clearTimeout: (timer: unknown) => clearTimeout(timer as NodeJS.Timeout),
};
const TCB_INFO = { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 } as const;

interface Over {
  readonly pki?: SoftwarePki;
  /** Whose store it has. */
  readonly beside?: ServiceBench;
}

async function overHttp(t: TestContext, trusted = softwarePki(), { pki = softwarePki(), beside }: Over = {}) {
  const fake = await fakeService({ pki });
  const http = httpClient({ clock: CLOCK });
  const pcs = pcsSource({
    http,
    baseUrl: fake.base,
    rootCaCrlUrl: fake.rootCaCrlUrl,
    crlOrigins: [fake.origin],
  });
  const upstream: CollateralUpstream = {
    ...pcs,
    fetch: async (request, options) => {
      // The last to be answered of what is asked for at the same time.
      if (request.kind === "root-ca-crl") await new Promise((resolve) => setTimeout(resolve, 50));
      return pcs.fetch(request, options);
    },
  };
  const bench = serviceBench("LAZY", {
    upstream,
    checks: genuineChecks([trusted.trustedRoot]),
    ...(beside === undefined ? {} : { beside }),
  });
  t.after(async () => {
    await bench.service.close();
    http.close();
    await fake.close();
  });
  return { ...bench, pki, fake };
}

test("over a PCS: an unknown platform's certificate is fetched, checked, selected and kept", async (t) => {
  const { service, pki, fake } = await overHttp(t);
  const platform = pki.addPlatform({ ca: "processor" });
  const first = await service.get(pckRequest(platform));
  assert.equal(first.answer.fmspc, TEST_FMSPC);
  assert.equal(first.answer.ca, "processor");
  const asked = fake.requests.length;
  assert.deepEqual((await service.get(pckRequest(platform))).answer, first.answer);
  assert.equal(fake.requests.length, asked);
});

test("over a PCS: registration and refresh bring documents that pass every check", async (t) => {
  const { service, pki, events } = await overHttp(t);
  const { qeId, pceId, encryptedPpid, platformManifest, ...rest } = pki.addPlatform({ ca: "platform" });
  const { cpuSvn, pceSvn } = pckRequest({ qeId, pceId, encryptedPpid, platformManifest, ...rest });
  await service.register({ qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest }, "all");
  await service.refresh();
  await service.refresh([]);
  assert.equal((await service.get(TCB_INFO)).stale, false);
  assert.equal((await service.get({ kind: "root-ca-crl" })).stale, false);
  const refused = events.filter((event) => event.event === "upstream" && event.outcome === "ANSWER_UNTRUSTED");
  assert.deepEqual(refused, []);
});

test("over a PCS under another root nothing is stored or served", async (t) => {
  const { service, store, pki } = await overHttp(t, softwarePki({ name: "another" }));
  const platform = pki.addPlatform({ ca: "processor" });
  assert.equal(await statusOf(() => service.get(TCB_INFO)), 460);
  assert.equal(await statusOf(() => service.get(pckRequest(platform))), 460);
  assert.equal(store.writes, 0);
});

test("a refresh under another root replaces what was stored under the one before, in one round", async (t) => {
  const before = await overHttp(t);
  const pki = softwarePki({ name: "another" });
  const after = await overHttp(t, pki, { pki, beside: before });
  for (const { service } of [before, after]) {
    for (const ca of ["processor", "platform"] as const) await service.get({ kind: "pck-crl", ca });
    await service.get({ kind: "root-ca-crl" });
    await service.get(TCB_INFO);
  }
  await after.service.refresh();
  const { crl } = (await after.service.get({ kind: "root-ca-crl" })).answer;
  assert.deepEqual(crl, pki.answer({ kind: "root-ca-crl" })?.crl);
  const { issuerChain } = (await after.service.get(TCB_INFO)).answer;
  assert.equal(issuerChain, pki.answer(TCB_INFO)?.issuerChain);
});

test("the CRL of a PCK CA is served by its distribution point, though nothing is known of the CA before", async (t) => {
  const clock = new ManualClock();
  let pki: SoftwarePki | undefined;
  const fake = await fakeService({
    get pki() {
      pki ??= softwarePki({ clock, crlBase: fake.origin });
      return pki;
    },
  });
  pki = softwarePki({ clock, crlBase: fake.origin });
  const http = httpClient({ clock: CLOCK });
  const upstream = pcsSource({ http, baseUrl: fake.base, crlOrigins: [fake.origin] });
  const allowedCrlHosts = [fake.origin];
  const bench = serviceBench("LAZY", { upstream, checks: genuineChecks([pki.trustedRoot]), allowedCrlHosts });
  t.after(async () => {
    await bench.service.close();
    http.close();
    await fake.close();
  });
  for (const ca of ["platform", "processor"] as const) {
    const request: CrlRequest = { kind: "crl", url: pki.pckCrlUrl(ca) };
    const { answer } = await bench.service.get(request);
    assert.ok(Buffer.from(answer.crl).equals(pki.crl(ca)), ca);
  }
});
