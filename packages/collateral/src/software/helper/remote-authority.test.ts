import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { QuotingError } from "@confcom/aesm";
import { StateDirectory } from "@confcom/quoting";
import { createSoftwareEnclave, type SoftwarePlatform } from "@confcom/quoting/software";
import { CrashingFileSystem, openTestPlatform, SURVIVALS, type Survival, testRandom } from "@confcom/quoting/testing";
import { Aesm, type Collateral, decodeQuote, ECDSA_P256_KEY_ID, Quote3, toHex } from "@confcom/sgx";
import { trustedRootFromCertificate, verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { ManualClock } from "../../testing/index.ts";
import type { SoftwareUpstream } from "../software-upstream.ts";
import { NOW, openTestUpstream } from "../testing/software-keys.ts";
import { UpstreamAsPccs } from "../testing/upstream-as-pccs.ts";
import { readProvisioningRecord, writeProvisioningRecord } from "./provisioning-record.ts";
import { leaveProvisioningService, provisioningServiceUrl } from "./provisioning-service.ts";
import { openRemoteAuthority, type RemoteProvisioningAuthority } from "./remote-authority.ts";

const ID = ECDSA_P256_KEY_ID;
const APP = createSoftwareEnclave({ identity: { mrEnclave: new Uint8Array(32).fill(0xa) } });

interface Service {
  readonly upstream: SoftwareUpstream;
  readonly pccs: UpstreamAsPccs;
}

async function service(t: TestContext): Promise<Service> {
  const path = mkdtempSync(join(tmpdir(), "confcom-remote-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  const upstream = await openTestUpstream(path);
  return { upstream, pccs: new UpstreamAsPccs(upstream, new ManualClock(NOW.getTime())) };
}

interface Helper {
  readonly platform: SoftwarePlatform;
  readonly authority: RemoteProvisioningAuthority;
  readonly warnings: string[];
}

const stateOf = (fs: CrashingFileSystem) => StateDirectory.open("/var/lib/confcom", fs);

async function helper({ pccs }: Service, fs: CrashingFileSystem, seed = "helper", token?: string): Promise<Helper> {
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const state = stateOf(fs);
  const authority = openRemoteAuthority({ ...pccs.helperOptions(token), state, warn });
  const now = () => new Date(pccs.clock.now());
  const platform = await openTestPlatform({
    state,
    now,
    random: testRandom(seed),
    warn,
    openAuthority: async () => authority,
  });
  return { platform, authority, warnings };
}

async function quoteOf(platform: SoftwarePlatform): Promise<Uint8Array> {
  const { targetInfo } = await platform.initQuote(ID);
  return (await platform.getQuote(ID, APP.report(targetInfo, new Uint8Array(64)))).quote.slice();
}

function verdict(quote: Uint8Array, collateral: Collateral, root: string, now = NOW) {
  return verifyQuote(quote, collateral, { now, trustedRoots: [trustedRootFromCertificate(root)], crypto: nodeCrypto });
}

async function refusal(call: () => unknown): Promise<QuotingError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof QuotingError) return error;
    throw error;
  }
  throw new Error("the call was not refused");
}

const chainOf = (quote: Uint8Array) => new TextDecoder().decode(decodeQuote(quote).signatureData.certificationData);

test("two helpers register with one service, and quotes of both verify under its one root", async (t) => {
  const both = await service(t);
  const [a, b] = [await helper(both, new CrashingFileSystem(), "a"), await helper(both, new CrashingFileSystem(), "b")];
  for (const { platform, authority } of [a, b]) {
    const quote = await quoteOf(platform);
    const result = verdict(quote, await authority.collateral(), both.upstream.rootCertificatePem);
    assert.equal(result.result, "OK");
  }
  assert.notDeepEqual((await a.platform.initQuote(ID)).pubKeyId, (await b.platform.initQuote(ID)).pubKeyId);
  assert.equal(both.upstream.platformCount, 2);
});

test("a helper asks, registers when it is not known, and asks again; a known one does not register", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  await quoteOf((await helper(one, disk)).platform);
  assert.deepEqual(one.pccs.asked, ["pck-certificate", "register", "pck-certificate"]);
  const state = stateOf(disk);
  const record = readProvisioningRecord(state);
  writeProvisioningRecord(state, { ...(record as NonNullable<typeof record>), chains: [] });
  one.pccs.asked.length = 0;
  await quoteOf((await helper(one, disk)).platform);
  assert.deepEqual(one.pccs.asked, ["pck-certificate"]);
});

test("the helper's directory holds no key of the authority, and the service's none of the helper", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  await quoteOf((await helper(one, disk)).platform);
  const names = stateOf(disk).names();
  assert.deepEqual([...names].sort(), ["ecdsa_data.blob", "fuses.json", "provisioning-service.json"]);
  for (const name of names) {
    const text = new TextDecoder().decode(stateOf(disk).read(name));
    assert.ok(!text.includes("PRIVATE KEY"), name);
  }
});

test("a restart with the service down quotes on with the chain it has, and asks nothing", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  const first = await quoteOf((await helper(one, disk)).platform);
  one.pccs.down = true;
  one.pccs.asked.length = 0;
  const again = await quoteOf((await helper(one, disk)).platform);
  assert.equal(chainOf(again), chainOf(first));
  assert.deepEqual(one.pccs.asked, []);
});

test("a helper whose service is down at its first start starts, answers NETWORK_ERROR with the cause, and is ready when the service is", async (t) => {
  const one = await service(t);
  one.pccs.down = true;
  const { platform, authority } = await helper(one, new CrashingFileSystem());
  const error = await refusal(() => platform.initQuote(ID));
  assert.deepEqual([error.aesm, error.quote3], [Aesm.NETWORK_ERROR, Quote3.NETWORK_ERROR]);
  assert.match(error.message, /PCCS at https:\/\/pccs\.test:8081\S*: the connection was refused/);
  one.pccs.down = false;
  assert.equal((await refusal(() => platform.initQuote(ID))).aesm, Aesm.NETWORK_ERROR, "left alone for a second");
  assert.deepEqual(one.pccs.asked, ["pck-certificate"]);
  assert.deepEqual(authority.status.failed, { ISSUER_UNREACHABLE: 1 });
  assert.equal(authority.status.failure?.message.includes("connection was refused"), true);
  await one.pccs.clock.advance(1000);
  await quoteOf(platform);
  assert.deepEqual([authority.status.failure, authority.status.succeeded], [undefined, 1]);
});

test("the pauses between attempts grow to 20 s, and a thousand callers cost one attempt each time", async (t) => {
  const one = await service(t);
  one.pccs.down = true;
  const { platform, authority } = await helper(one, new CrashingFileSystem());
  const pauses = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    await Promise.all(Array.from({ length: 1000 }, () => refusal(() => platform.initQuote(ID))));
    assert.equal(one.pccs.asked.length, attempt + 1);
    const pause = authority.status.notBefore - one.pccs.clock.now();
    pauses.push(pause);
    await one.pccs.clock.advance(pause);
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000, 20_000]);
});

test("a wrong or missing user token is told as such, with the status, and without the token", async (t) => {
  const one = await service(t);
  const { platform } = await helper(one, new CrashingFileSystem(), "helper", "secret but wrong");
  const error = await refusal(() => platform.initQuote(ID));
  assert.equal(error.aesm, Aesm.NO_PLATFORM_CERT_DATA);
  assert.match(error.message, /answered 401: the user token is missing or not accepted/);
  assert.ok(!error.message.includes("secret"));
});

test("what does not end in the trusted root is refused, and neither kept nor quoted with", async (t) => {
  const [one, other] = [await service(t), await service(t)];
  const disk = new CrashingFileSystem();
  const options = { ...one.pccs.helperOptions(), rootCertificatePem: other.upstream.rootCertificatePem };
  const state = stateOf(disk);
  const authority = openRemoteAuthority({ ...options, state });
  const platform = await openTestPlatform({ state, openAuthority: async () => authority });
  const error = await refusal(() => platform.initQuote(ID));
  assert.equal(error.aesm, Aesm.ATT_KEY_CERT_DATA_INVALID);
  assert.match(error.message, /does not stand under the trusted root/);
  assert.deepEqual(readProvisioningRecord(state)?.chains, []);
});

test("a service that forgot a platform, and its authority with it, is registered with anew", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  const before = await quoteOf((await helper(one, disk)).platform);
  const fresh = { upstream: one.upstream, pccs: new UpstreamAsPccs(one.upstream, one.pccs.clock) };
  const state = stateOf(disk);
  const record = readProvisioningRecord(state);
  writeProvisioningRecord(state, { ...(record as NonNullable<typeof record>), chains: [] });
  const after = await quoteOf((await helper(fresh, disk)).platform);
  assert.deepEqual(fresh.pccs.asked, ["pck-certificate", "register", "pck-certificate"]);
  assert.equal(chainOf(after), chainOf(before));
});

test("a platform of the embedded authority goes over to the service and back: the same attestation key, another root", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  const random = testRandom("one platform");
  const embedded = await openTestPlatform({ state: stateOf(disk), random });
  const ownRoot = embedded.authority.rootCertificatePem;
  const { pubKeyId } = await embedded.initQuote(ID);
  one.pccs.down = true;
  const waiting = await helper(one, disk);
  assert.equal(waiting.platform.snapshot().key, undefined);
  assert.match(waiting.warnings.join(), /no certificate for now: .*connection was refused/);
  one.pccs.down = false;
  const { platform, authority } = await helper(one, disk);
  assert.deepEqual((await platform.initQuote(ID)).pubKeyId, pubKeyId);
  const quote = await quoteOf(platform);
  assert.equal(verdict(quote, await authority.collateral(), one.upstream.rootCertificatePem).result, "OK");
  assert.match(waiting.warnings.join(), /had a provisioning authority of its own .* verifiers must trust that/);
  const warnings: string[] = [];
  leaveProvisioningService(stateOf(disk), (text) => warnings.push(text));
  leaveProvisioningService(stateOf(disk), (text) => warnings.push(text));
  assert.equal(warnings.length, 1);
  assert.match(warnings.join(), /goes back to its own provisioning authority: the attestation key stays/);
  const back = await openTestPlatform({ state: stateOf(disk), random });
  assert.equal(back.authority.rootCertificatePem, ownRoot);
  assert.deepEqual((await back.initQuote(ID)).pubKeyId, pubKeyId);
  assert.equal(verdict(await quoteOf(back), await back.authority.collateral(), ownRoot).result, "OK");
});

test("a revocation in the service reaches whoever verifies with the helper's collateral", async (t) => {
  const one = await service(t);
  const { platform, authority } = await helper(one, new CrashingFileSystem());
  const quote = await quoteOf(platform);
  const root = one.upstream.rootCertificatePem;
  assert.equal(verdict(quote, await authority.collateral(), root).result, "OK");
  const { X509Certificate } = await import("node:crypto");
  await one.upstream.revoke(new X509Certificate(chainOf(quote)).serialNumber);
  assert.equal(verdict(quote, await authority.collateral(), root).retName, "PCK_REVOKED");
});

test("a chain that is due for renewal serves while the service is away, with a warning, and is renewed when it is there", async (t) => {
  const one = await service(t);
  const disk = new CrashingFileSystem();
  await quoteOf((await helper(one, disk)).platform);
  await one.pccs.clock.advance((7 * 365 - 30) * 24 * 60 * 60 * 1000);
  one.pccs.down = true;
  const late = await helper(one, disk);
  assert.match(late.warnings.join(), /due for renewal, and goes on in use: .*connection was refused/);
  assert.ok(late.platform.snapshot().key !== undefined);
  one.pccs.down = false;
  await one.pccs.clock.advance(60_000);
  one.pccs.asked.length = 0;
  await late.platform.reload();
  assert.deepEqual(one.pccs.asked, ["pck-certificate"]);
});

test("a change of the trusted root is told with both named, and chains of the old one are not used", async (t) => {
  const [one, other] = [await service(t), await service(t)];
  const disk = new CrashingFileSystem();
  const before = await quoteOf((await helper(one, disk)).platform);
  const moved = await helper(other, disk);
  assert.match(moved.warnings.join(), /the trusted root changed, from SHA-256 .* SHA-256 /);
  const after = await quoteOf(moved.platform);
  assert.notEqual(chainOf(after), chainOf(before));
  const root = other.upstream.rootCertificatePem;
  assert.equal(verdict(after, await moved.authority.collateral(), root).result, "OK");
});

test("stopped after any one operation of a first start with a service, the next start quotes, with any key handed out", async (t) => {
  const one = await service(t);
  const start = async (fs: CrashingFileSystem) => {
    const { platform } = await helper(one, fs, "one platform");
    return toHex((await platform.initQuote(ID)).pubKeyId);
  };
  const count = new CrashingFileSystem();
  await start(count);
  const [killed, powerLost] = SURVIVALS as [Survival, Survival];
  for (let operations = 0; operations <= count.operations; operations += 3) {
    const disk = new CrashingFileSystem(operations);
    const handedOut = await start(disk).catch(() => undefined);
    for (const survival of [killed, powerLost]) {
      // Fuses that were lost before anything was handed out are made anew, and with them another platform.
      const fuses = createHash("sha256").update(`${operations}`).digest("hex");
      const { platform } = await helper(one, disk.restart(survival), handedOut === undefined ? fuses : "one platform");
      const id = toHex((await platform.initQuote(ID)).pubKeyId);
      if (handedOut !== undefined) assert.equal(id, handedOut);
    }
  }
});

test("a service is named by host and port or by its whole path; in clear only on this machine", () => {
  for (const [text, url] of [
    ["https://pccs.test:8081", "https://pccs.test:8081/sgx/certification/v4/"],
    ["https://pccs.test:8081/", "https://pccs.test:8081/sgx/certification/v4/"],
    ["https://pccs.test/behind/sgx/certification/v4", "https://pccs.test/behind/sgx/certification/v4/"],
    ["http://127.0.0.1:8081", "http://127.0.0.1:8081/sgx/certification/v4/"],
    ["http://[::1]:8081/", "http://[::1]:8081/sgx/certification/v4/"],
  ] as const) {
    assert.equal(provisioningServiceUrl(text), url);
  }
  for (const text of [
    "pccs.test:8081",
    "",
    "http://pccs.test:8081",
    "ftp://pccs.test",
    "https://a:b@pccs.test",
    "https://pccs.test/?x=1",
  ]) {
    assert.throws(() => provisioningServiceUrl(text), { code: "CONFIGURATION" }, text);
  }
});
