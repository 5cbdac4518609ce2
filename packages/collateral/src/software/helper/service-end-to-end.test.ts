import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { StateDirectory } from "@confcom/quoting";
import { createSoftwareEnclave, type SoftwarePlatform } from "@confcom/quoting/software";
import { CrashingFileSystem, openTestPlatform, testRandom } from "@confcom/quoting/testing";
import { type Collateral, ECDSA_P256_KEY_ID } from "@confcom/sgx";
import { trustedRootFromCertificate, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { createCollateralService, genuineChecks, startPccsServer } from "../../service/index.ts";
import { MemoryStore } from "../../service/testing/memory-store.ts";
import type { SoftwareUpstream } from "../software-upstream.ts";
import { openTestUpstream } from "../testing/software-keys.ts";
import { openProvisioningService } from "./provisioning-service.ts";
import type { RemoteProvisioningAuthority } from "./remote-authority.ts";

const TOKEN = "the helper's user token";
const APP = createSoftwareEnclave({ identity: { mrEnclave: new Uint8Array(32).fill(0xa) } });
const clock = {
  now: () => Date.now(),
  setTimeout: (callback: () => void, ms: number): unknown => setTimeout(callback, ms),
  clearTimeout: (timer: unknown): void => clearTimeout(timer as NodeJS.Timeout),
};
const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest("hex");

/** The real service over the software upstream, on loopback. */
async function pccs(t: TestContext, mode: "LAZY" | "REQ") {
  const path = mkdtempSync(join(tmpdir(), "confcom-end-to-end-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const upstream = await openTestUpstream(path, { now: () => new Date() });
  const service = createCollateralService({
    store: new MemoryStore(clock),
    upstream,
    mode,
    checks: genuineChecks([trustedRootFromCertificate(upstream.rootCertificatePem)]),
    clock,
    random: Math.random,
    sha384: (text) => hash("sha384", text),
    refreshIntervalMs: 0,
    readPlatformCollateral: () => [],
  });
  const server = await startPccsServer({
    service,
    listen: { host: "127.0.0.1", port: 0 },
    plainHttp: true,
    tokens: { user: [hash("sha512", TOKEN)], admin: [] },
    clock,
    random: Math.random,
  });
  t.after(async () => {
    await server.close({ deadlineMs: 100 });
    await service.close();
  });
  return { upstream, service, url: server.url };
}

interface Helper {
  readonly platform: SoftwarePlatform;
  readonly authority: RemoteProvisioningAuthority;
}

async function helper(upstream: SoftwareUpstream, url: string, seed: string, token = TOKEN): Promise<Helper> {
  const state = StateDirectory.open("/var/lib/confcom", new CrashingFileSystem());
  const authority = openProvisioningService({
    state,
    url,
    rootCertificatePem: upstream.rootCertificatePem,
    userToken: () => token,
    clock,
    random: Math.random,
  });
  const options = { state, now: () => new Date(), random: testRandom(seed), openAuthority: async () => authority };
  return { authority, platform: await openTestPlatform(options) };
}

async function quoteOf(platform: SoftwarePlatform): Promise<Uint8Array> {
  const { targetInfo } = await platform.initQuote(ECDSA_P256_KEY_ID);
  const report = APP.report(targetInfo, new Uint8Array(64));
  return (await platform.getQuote(ECDSA_P256_KEY_ID, report)).quote.slice();
}

function verdict(quote: Uint8Array, collateral: Collateral, root: string): string {
  const trustedRoots = [trustedRootFromCertificate(root)];
  const result = verifyQuote(quote, collateral, { now: new Date(), trustedRoots, crypto: nodeCrypto });
  return result.retName === "SUCCESS" ? result.result : result.retName;
}

for (const mode of ["LAZY", "REQ"] as const) {
  test(`two helpers register with the real service in ${mode}, over HTTP, and their quotes verify with its collateral until one is revoked`, async (t) => {
    const { upstream, service, url } = await pccs(t, mode);
    const root = upstream.rootCertificatePem;
    const [a, b] = [await helper(upstream, url, "a"), await helper(upstream, url, "b")];
    const quotes = [await quoteOf(a.platform), await quoteOf(b.platform)] as const;
    const collateral = await a.authority.collateral();
    assert.deepEqual(
      quotes.map((quote) => verdict(quote, collateral, root)),
      ["OK", "OK"],
    );
    const { X509Certificate } = await import("node:crypto");
    const chain = a.platform.snapshot().key?.template ?? new Uint8Array();
    const pem = new TextDecoder().decode(chain).slice(new TextDecoder().decode(chain).indexOf("-----BEGIN"));
    await upstream.revoke(new X509Certificate(pem).serialNumber);
    await service.refresh();
    const later = await b.authority.collateral();
    assert.deepEqual(
      quotes.map((quote) => verdict(quote, later, root)),
      ["PCK_REVOKED", "OK"],
    );
  });
}

test("the real service refuses a wrong token, and the helper says so without it", async (t) => {
  const { upstream, url } = await pccs(t, "REQ");
  const { platform } = await helper(upstream, url, "a", "a guess");
  await assert.rejects(async () => platform.initQuote(ECDSA_P256_KEY_ID), {
    name: "QuotingError",
    message: /PCCS at http:\/\/127\.0\.0\.1:\d+\/sgx\/certification\/v4\/ answered 401: the user token is missing/,
  });
  assert.equal(upstream.platformCount, 0);
});
