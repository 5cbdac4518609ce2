import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Clock } from "../clock.ts";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import { type HttpClient, httpClient } from "../http/index.ts";
import type { CollateralRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import { type FakeService, type FakeServiceOptions, fakeService } from "../testing/fake-service.ts";
import { pckRequest, SoftwarePki, TEST_FMSPC } from "../testing/software-pki.ts";
import { pccsSource } from "./pccs-source.ts";
import { pcsSource } from "./pcs-source.ts";
import { thimSource } from "./thim-source.ts";

const clock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
const pki = new SoftwarePki();
const platform = pki.addPlatform({ name: "one", ca: "platform" });
const single = pki.addPlatform({ name: "two", ca: "processor" });
const options = { signal: new AbortController().signal };

async function started(
  t: TestContext,
  form: "pcs" | "pccs" | "thim",
  more: Partial<FakeServiceOptions> = {},
): Promise<{ service: FakeService; http: HttpClient }> {
  const service = await fakeService({ pki, form, ...more });
  const deadlines = { connectMs: 5_000, firstByteMs: 5_000, bodyMs: 5_000 };
  const http = httpClient({ clock, deadlines });
  t.after(async () => {
    http.close();
    await service.close();
  });
  return { service, http };
}

async function fails(
  work: Promise<unknown>,
  code: CollateralErrorCode,
  message: RegExp = /./,
): Promise<CollateralError> {
  const error = await work.then(
    () => assert.fail("answered"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof CollateralError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return error;
}

const documents = (update: "standard" | "early"): readonly CollateralRequest[] => [
  { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update, version: 4 },
  { kind: "tcb-info", tee: "tdx", fmspc: TEST_FMSPC, update, version: 4 },
  { kind: "identity", id: "QE", update, version: 4 },
  { kind: "identity", id: "TD_QE", update, version: 4 },
  { kind: "identity", id: "QVE", update, version: 4 },
];
const version3: readonly CollateralRequest[] = [
  { kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 3 },
  { kind: "identity", id: "QE", update: "standard", version: 3 },
];
const crls: readonly CollateralRequest[] = [
  { kind: "pck-crl", ca: "processor" },
  { kind: "pck-crl", ca: "platform" },
  { kind: "root-ca-crl" },
];

async function answersAsIssued(source: CollateralSource, requests: readonly CollateralRequest[]): Promise<void> {
  for (const request of requests) {
    const { answer } = await source.fetch(request, options);
    assert.deepEqual(answer, pki.answer(request), JSON.stringify(request));
  }
}

test("PCS: documents of both TEEs, updates and versions, CRLs and a PCK certificate, byte for byte", async (t) => {
  const { service, http } = await started(t, "pcs", { apiKey: "the key", maxAge: 600 });
  const rootCaCrlUrl = service.rootCaCrlUrl;
  const source = pcsSource({ http, baseUrl: service.base, apiKey: () => "the key\n", rootCaCrlUrl });
  await answersAsIssued(source, [...documents("standard"), ...documents("early"), ...version3, ...crls]);
  await answersAsIssued(source, [pckRequest(platform), pckRequest(single)]);
  await answersAsIssued(source, [{ kind: "root-ca-crl", url: rootCaCrlUrl }]);
  assert.equal((await source.fetch({ kind: "pck-crl", ca: "platform" }, options)).maxAgeMs, 600_000);
  assert.equal(source.kind, "pcs");
  assert.equal(source.name, `PCS at ${service.base}`);
  // The key goes with what needs it, and nowhere else.
  for (const { path, headers } of service.requests) {
    assert.equal(headers["ocp-apim-subscription-key"], path.includes("/pckcert") ? "the key" : undefined, path);
  }
});

test("PCS: an API key that no header can carry is the configuration's fault, is not sent and not shown", async (t) => {
  const { service, http } = await started(t, "pcs");
  for (const key of ["secret\nsecond line", "secr\u00e9t", "secret\0"]) {
    const source = pcsSource({ http, baseUrl: service.base, apiKey: () => key });
    await assert.rejects(
      source.pckCertificates({ encryptedPpid: single.encryptedPpid }, single.pceId, options),
      (error: Error & { code?: string }) => error.code === "CONFIGURATION" && !error.message.includes("secr"),
    );
  }
  assert.equal(service.requests.length, 0);
});

test("PCS: every certificate of a platform, by encrypted PPID and by manifest, those not available too", async (t) => {
  const { service, http } = await started(t, "pcs", { apiKey: "key" });
  const tcbs = single.tcbs.slice(0, 1);
  const without = pki.addPlatform({ name: "three", ca: "platform", notAvailable: tcbs });
  const source = pcsSource({ http, baseUrl: service.base, apiKey: () => "key" });
  const byPpid = await source.pckCertificates({ encryptedPpid: single.encryptedPpid }, single.pceId, options);
  assert.deepEqual(byPpid, single.certificates);
  const { platformManifest } = without;
  const byManifest = await source.pckCertificates({ platformManifest }, without.pceId, options);
  assert.deepEqual(byManifest, without.certificates);
  assert.ok(byManifest.certificates.some(({ certificate }) => certificate === undefined));
  assert.equal(service.requests[1]?.method, "POST");
  assert.deepEqual(JSON.parse(service.requests[1]?.body ?? ""), { platformManifest, pceid: without.pceId });
});

test("PCS: a key that changes is used at once, and one that is refused is not in the message", async (t) => {
  const { service, http } = await started(t, "pcs", { apiKey: "new-key" });
  let key: string | undefined = "old-key";
  const source = pcsSource({ http, baseUrl: service.base, apiKey: () => key });
  const credential = { encryptedPpid: single.encryptedPpid };
  const asked = () => source.pckCertificates(credential, single.pceId, options);
  const error = await fails(asked(), "SOURCE_REFUSED", /answered 401: the API key .*Request-ID 0123/);
  assert.doesNotMatch(error.message, /old-key/);
  key = undefined;
  await fails(asked(), "SOURCE_REFUSED", /401/);
  key = "new-key";
  assert.deepEqual(await asked(), single.certificates);
});

test("PCS: without an encrypted PPID nobody is asked; CRLs come from Intel's hosts and its own only", async (t) => {
  const { service, http } = await started(t, "pcs");
  const source = pcsSource({ http, baseUrl: service.base });
  const { encryptedPpid: _, ...unnamed } = pckRequest(single);
  await fails(source.fetch(unnamed, options), "NOT_FOUND", /no encrypted PPID/);
  const zeros = { ...unnamed, encryptedPpid: "0".repeat(768) };
  await fails(source.fetch(zeros, options), "NOT_FOUND", /no encrypted PPID/);
  for (const url of ["http://169.254.169.254/latest/", "https://user:pw@127.0.0.1/x", "file:///etc/passwd", "x"]) {
    await fails(source.fetch({ kind: "crl", url }, options), "PARAMETER", /not fetched/);
    await fails(source.fetch({ kind: "root-ca-crl", url }, options), "PARAMETER", /not fetched/);
  }
  await fails(
    source.fetch({ kind: "tcb-info", tee: "tdx", fmspc: TEST_FMSPC, update: "standard", version: 3 }, options),
    "NOT_FOUND",
    /no TDX/,
  );
  assert.equal(service.requests.length, 0);
});

test("PCS: its statuses and what they mean", async (t) => {
  const { service, http } = await started(t, "pcs");
  const source = pcsSource({ http, baseUrl: service.base });
  const cases: readonly (readonly [number, CollateralErrorCode, RegExp])[] = [
    [400, "SOURCE_REFUSED", /parameters/],
    [401, "SOURCE_REFUSED", /API key/],
    [404, "NOT_FOUND", /no such collateral/],
    [410, "NOT_FOUND", /retired/],
    [429, "SOURCE_BUSY", /too many/],
    [500, "SOURCE_ANSWER", /error of its own/],
    [503, "SOURCE_BUSY", /cannot serve now/],
    [204, "SOURCE_ANSWER", /unexpected status/],
    [302, "SOURCE_ANSWER", /redirects/],
  ];
  for (const [status, code, message] of cases) {
    const headers = { "Retry-After": "7", "Error-Code": "Invalid\tRequest", "Error-Message": "x".repeat(900) };
    service.fail({ kind: "status", status, headers }, { times: 1 });
    const error = await fails(
      source.fetch({ kind: "identity", id: "QE", update: "standard", version: 4 }, options),
      code,
      message,
    );
    assert.equal(error.status, status);
    assert.equal(error.source, source.name);
    assert.ok(error.message.length < 600, error.message);
    if (code === "SOURCE_BUSY") assert.equal(error.retryAfterMs, 7_000);
  }
});

for (const apiVersion of ["3.0", "3.1"] as const) {
  test(`PCCS of API version ${apiVersion}: everything, byte for byte, asked as QCNL asks`, async (t) => {
    const { service, http } = await started(t, "pccs", { maxAge: 60 });
    const source = pccsSource({ http, baseUrl: service.base, apiVersion });
    await answersAsIssued(source, [...documents("standard"), ...documents("early"), ...version3, ...crls]);
    await answersAsIssued(source, [pckRequest(platform), pckRequest(single)]);
    await answersAsIssued(source, [
      { kind: "root-ca-crl", url: pki.rootCaCrlUrl },
      { kind: "crl", url: pki.rootCaCrlUrl },
    ]);
    const der = apiVersion === "3.1";
    assert.equal(service.count("pckcrl?ca=processor&encoding=der"), der ? 1 : 0);
    assert.equal(service.count("/rootcacrl"), der ? 1 : 2);
    assert.equal(service.count(`/crl?uri=${pki.rootCaCrlUrl}`), der ? 2 : 1);
    const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid } = pckRequest(single);
    const path = `/sgx/certification/v4/pckcert?qeid=${qeId}&encrypted_ppid=${encryptedPpid}&cpusvn=${cpuSvn}&pcesvn=${pceSvn}&pceid=${pceId}`;
    assert.ok(service.requests.some(({ url }) => url === path));
  });
}

test("PCCS: each status keeps its cause, and says what to do", async (t) => {
  const { service, http } = await started(t, "pccs");
  const source = pccsSource({ http, baseUrl: service.base });
  const asked = () => source.fetch(pckRequest(single), options);
  const cases: readonly (readonly [number, CollateralErrorCode, RegExp])[] = [
    [400, "SOURCE_REFUSED", /answered 400: it does not take the parameters/],
    [404, "NOT_FOUND", /answered 404: no cache data/],
    [
      461,
      "PLATFORM_UNKNOWN",
      /^PCCS at http:\/\/127\.0\.0\.1:\d+\/sgx\/certification\/v4\/ answered 461: platform unknown; register it with/,
    ],
    [462, "CERTIFICATES_UNAVAILABLE", /answered 462: no certificate for this TCB/],
    [502, "SOURCE_ANSWER", /answered 502: it cannot get the collateral from Intel's PCS/],
    [503, "SOURCE_BUSY", /answered 503/],
  ];
  for (const [status, code, message] of cases) {
    service.fail({ kind: "status", status }, { times: 1 });
    assert.equal((await fails(asked(), code, message)).status, status);
  }
  const stranger = { ...pckRequest(single), qeId: "FF".repeat(16), encryptedPpid: "0".repeat(768) };
  await fails(source.fetch(stranger, options), "PLATFORM_UNKNOWN", /461/);
});

test("PCCS: custom headers and parameters go with PCK certificates, the custom parameter with everything else", async (t) => {
  const { service, http } = await started(t, "pccs");
  const custom = { headers: { metadata: "true" }, params: { "api-version": "2021-07-22-preview" } };
  const source = pccsSource({ http, baseUrl: service.base, custom, customParameter: "YWJj+/8=" });
  await answersAsIssued(source, [pckRequest(single), ...documents("standard"), ...crls]);
  for (const { path, url, headers } of service.requests) {
    const certificate = path.endsWith("/pckcert");
    assert.equal(headers.metadata, certificate ? "true" : undefined, url);
    assert.equal(url.endsWith("&api-version=2021-07-22-preview"), certificate, url);
    assert.equal(/[?&]customParameter=YWJj%2B%2F8%3D$/.test(url), !certificate, url);
  }
});

test("PCCS: Azure's JSON in place of a certificate is understood, as QCNL understands it", async (t) => {
  const { service, http } = await started(t, "thim");
  const source = pccsSource({ http, baseUrl: service.base });
  await answersAsIssued(source, [pckRequest(platform)]);
});

test("THIM: the agent's JSON becomes the same answer, PCESVN in little-endian bytes whichever way it came", async (t) => {
  const { service, http } = await started(t, "thim", { maxAge: 3_600 });
  const agent = thimSource({ http, baseUrl: service.base.replace("v4/", "") });
  const tcb = { components: new Uint8Array(16).fill(3), pceSvn: 0x010d };
  const odd = pki.addPlatform({ name: "odd", ca: "platform", tcbs: [tcb] });
  for (const machine of [platform, single, odd]) {
    const { answer, maxAgeMs } = await agent.fetch(pckRequest(machine), options);
    assert.deepEqual(answer, pki.answer(pckRequest(machine)));
    assert.equal(maxAgeMs, 3_600_000);
  }
  for (const { url, headers } of service.requests) {
    assert.match(url, /^\/metadata\/THIM\/sgx\/certification\/v4\/pckcert\?qeid=[0-9a-f]+&cpusvn=[0-9a-f]{32}&pcesvn=/);
    assert.match(url, /&clientid=production_client&api-version=2021-07-22-preview$/);
    assert.equal(headers.metadata, "true");
  }
  const { tcbm } = (await agent.fetch(pckRequest(odd), options)).answer;
  const littleEndian = Buffer.from(JSON.stringify({ ...(await thimJson(service, http)), "sgx-Tcbm": tcbm }));
  service.fail({ kind: "garbage", body: littleEndian }, { times: 1 });
  assert.deepEqual((await agent.fetch(pckRequest(odd), options)).answer, pki.answer(pckRequest(odd)));
});

/** The last answer to pckcert, as JSON. */
async function thimJson(service: FakeService, http: HttpClient): Promise<Record<string, unknown>> {
  const url = service.origin + (service.requests.at(-1)?.url ?? "");
  const { body } = await http.fetchBytes({ source: "test", url, maxBytes: 100_000, signal: options.signal });
  return JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>;
}

test("THIM: documents and CRLs from a regional cache; TDX only where one is configured; no early TCB", async (t) => {
  const { service, http } = await started(t, "thim");
  const baseUrl = service.base.replace("v4/", "");
  const cache = thimSource({ http, baseUrl, agent: false, tdxUrl: baseUrl, onDemand: false, clientId: "me" });
  await answersAsIssued(cache, [...documents("standard"), ...version3, { kind: "pck-crl", ca: "platform" }]);
  await answersAsIssued(cache, [{ kind: "root-ca-crl" }, pckRequest(single)]);
  assert.equal(service.count("encrypted_ppid"), 0);
  assert.equal(service.count("clientid=me"), service.requests.length);
  for (const { headers } of service.requests) assert.equal(headers.metadata, undefined);
  await fails(cache.fetch(documents("early")[0] as CollateralRequest, options), "NOT_FOUND", /early/);
  await fails(cache.fetch({ kind: "crl", url: pki.rootCaCrlUrl }, options), "NOT_FOUND");
  const without = thimSource({ http, baseUrl, agent: false });
  await fails(
    without.fetch({ kind: "identity", id: "TD_QE", update: "standard", version: 4 }, options),
    "NOT_FOUND",
    /regional/,
  );
});

test("a source that is for one of both refuses the other without asking", async (t) => {
  const { service, http } = await started(t, "pccs");
  const { base: baseUrl } = service;
  for (const source of [pccsSource, pcsSource, thimSource]) {
    await fails(source({ http, baseUrl, serves: "pck" }).fetch({ kind: "root-ca-crl" }, options), "NOT_FOUND", /PCK/);
    await fails(
      source({ http, baseUrl, serves: "collateral" }).fetch(pckRequest(single), options),
      "NOT_FOUND",
      /only/,
    );
    for (const change of [
      { qeId: "x&y=z" },
      { cpuSvn: "0" },
      { pceSvn: "0D0" },
      { pceId: "../." },
      { encryptedPpid: "C5" },
    ]) {
      const malformed = { ...pckRequest(single), ...change };
      await fails(source({ http, baseUrl }).fetch(malformed, options), "PARAMETER", /hexadecimal/);
    }
    const fmspc = { kind: "tcb-info", tee: "sgx", fmspc: "00906ED5000?", update: "standard", version: 4 } as const;
    await fails(source({ http, baseUrl }).fetch(fmspc, options), "PARAMETER", /fmspc/);
  }
  assert.equal(service.requests.length, 0);
});

test("bad days: what comes of an answer that is late, cut, endless, empty, garbage, or a page", async (t) => {
  const { service, http } = await started(t, "pccs");
  const source = pccsSource({ http, baseUrl: service.base });
  // Short deadlines for what never ends, and for nothing else: a busy machine is late with everything.
  const hurried = pccsSource({ http, baseUrl: service.base, deadlines: { firstByteMs: 40 } });
  const drained = pccsSource({ http, baseUrl: service.base, deadlines: { bodyMs: 40 } });
  const requests: readonly CollateralRequest[] = [
    pckRequest(single),
    { kind: "pck-crl", ca: "platform" },
    { kind: "identity", id: "QE", update: "standard", version: 4 },
    { kind: "root-ca-crl" },
  ];
  const faults = [
    [{ kind: "hang" }, "SOURCE_TIMEOUT"],
    [{ kind: "drip", everyMs: 5 }, "SOURCE_TIMEOUT"],
    [{ kind: "reset" }, "SOURCE_UNREACHABLE"],
    [{ kind: "cut" }, "SOURCE_UNREACHABLE"],
    [{ kind: "endless-headers" }, "SOURCE_ANSWER"],
    [{ kind: "empty" }, "SOURCE_ANSWER"],
    [{ kind: "garbage" }, "SOURCE_ANSWER"],
    [{ kind: "garbage", body: Buffer.from("{}") }, "SOURCE_ANSWER"],
    [{ kind: "content-type", value: "Text/HTML; charset=utf-8" }, "SOURCE_ANSWER"],
    [{ kind: "status", status: 429, headers: { "Retry-After": "2" } }, "SOURCE_BUSY"],
    [{ kind: "status", status: 500 }, "SOURCE_ANSWER"],
  ] as const;
  for (const [fault, code] of faults) {
    for (const request of requests) {
      service.heal();
      service.fail(fault);
      const asked = fault.kind === "hang" ? hurried : fault.kind === "drip" ? drained : source;
      const error = await fails(asked.fetch(request, options), code);
      assert.ok(error.message.startsWith(source.name), error.message);
    }
  }
  service.heal();
  // Another type for the right bytes is what services differ in.
  service.fail({ kind: "content-type", value: "text/plain" });
  await answersAsIssued(source, requests);
  service.heal();
  await service.refuse();
  await fails(source.fetch({ kind: "root-ca-crl" }, options), "SOURCE_UNREACHABLE");
  await service.accept();
  await answersAsIssued(source, requests);
});

test("an endless answer is cut at what its kind may have", async (t) => {
  const { service, http } = await started(t, "pccs");
  service.fail({ kind: "endless" });
  const source = pccsSource({ http, baseUrl: service.base });
  await fails(source.fetch(pckRequest(single), options), "SOURCE_ANSWER", /larger than 65536 bytes/);
  const identity = { kind: "identity", id: "QE", update: "standard", version: 4 } as const;
  await fails(source.fetch(identity, options), "SOURCE_ANSWER", /larger than 4194304 bytes/);
});

test("headers that are missing or broken: a chain is never done without, the rest is read from the certificate", async (t) => {
  const { service, http } = await started(t, "pccs");
  const source = pccsSource({ http, baseUrl: service.base });
  const chains: readonly (readonly [CollateralRequest, string])[] = [
    [pckRequest(single), "SGX-PCK-Certificate-Issuer-Chain"],
    [{ kind: "pck-crl", ca: "platform" }, "SGX-PCK-CRL-Issuer-Chain"],
    [{ kind: "identity", id: "QE", update: "standard", version: 4 }, "SGX-Enclave-Identity-Issuer-Chain"],
    [{ kind: "tcb-info", tee: "sgx", fmspc: TEST_FMSPC, update: "standard", version: 4 }, "TCB-Info-Issuer-Chain"],
  ];
  const whole = encodeURIComponent(pki.tcbIssuerChain);
  const half = whole.slice(0, whole.indexOf("-----END") + 36);
  for (const [request, name] of chains) {
    for (const value of [undefined, "", "%", "%ff", "garbage", half, `${whole}x`, `x${whole}`, whole + whole]) {
      service.fail({ kind: "header", name, ...(value === undefined ? {} : { value }) }, { times: 1 });
      const error = await fails(source.fetch(request, options), "SOURCE_ANSWER", /Issuer-Chain/);
      assert.ok(error.message.length < 300, error.message);
    }
  }
  for (const name of ["SGX-TCBm", "SGX-FMSPC", "SGX-PCK-Certificate-CA-Type"]) {
    service.fail({ kind: "header", name }, { times: 2 });
    await answersAsIssued(source, [pckRequest(single), pckRequest(platform)]);
  }
  for (const name of ["SGX-TCBm", "SGX-FMSPC"]) {
    service.fail({ kind: "header", name, value: "0B0B" }, { times: 1 });
    await fails(source.fetch(pckRequest(single), options), "SOURCE_ANSWER", new RegExp(name));
  }
});
