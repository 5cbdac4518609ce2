import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { AesmClient, type QuotingPlatform, type RunningServer, serve } from "@confcom/aesm";
import { bytesEqual, decodeQuote, Quote3, toHex } from "@confcom/sgx";
import { PlatformError } from "../errors.ts";
import { CPU_SVNS } from "../software/cpu/cpu-svn.ts";
import { createSoftwareEnclave } from "../software/cpu/software-enclave.ts";
import { CrashingFileSystem } from "../testing/crashing-file-system.ts";
import { openTestPlatform, openTestState } from "../testing/test-platform.ts";
import { DEFAULT_STATE_DIRECTORY } from "./default-platform.ts";
import { createQuoteProvider, type QuoteProvider, type QuoteProviderOptions } from "./quote-provider.ts";
import { QuoteProviderError } from "./quote-provider-error.ts";
import { QuotingModeGuard } from "./quoting-mode.ts";

const ENCLAVE = createSoftwareEnclave();
const OUT_OF_PROCESS = { SGX_AESM_ADDR: "1" };

let directory = "";
let server: RunningServer | undefined;
const socketPath = () => join(directory, "aesm.socket");

before(async () => {
  directory = mkdtempSync(join(tmpdir(), "confcom-provider-"));
  server = await serve({ socketPath: socketPath(), platform: await openTestPlatform({ state: openTestState() }) });
});
after(async () => {
  await server?.close(100);
  rmSync(directory, { recursive: true, force: true });
});

function provider(env: QuoteProviderOptions["env"], options: Partial<QuoteProviderOptions> = {}): QuoteProvider {
  return createQuoteProvider({
    env,
    guard: new QuotingModeGuard(),
    openPlatform: () => openTestPlatform({ state: openTestState() }),
    connect: () => new AesmClient({ socketPath: socketPath(), connectAttempts: 1 }),
    ...options,
  });
}

async function failure(call: () => Promise<unknown>): Promise<QuoteProviderError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof QuoteProviderError) return error;
    throw error;
  }
  throw new Error("the call did not fail");
}

test("the variable's presence selects the mode, its value does not", () => {
  assert.equal(provider({}).mode, "in-process");
  assert.equal(provider({ SGX_AESM_ADDR: undefined }).mode, "in-process");
  for (const value of ["1", "0", "", "/some/other.socket"]) {
    assert.equal(provider({ SGX_AESM_ADDR: value }).mode, "out-of-process");
  }
});

for (const [mode, env] of [
  ["in-process", {}],
  ["out-of-process", OUT_OF_PROCESS],
] as const) {
  test(`${mode}: target info, size and quote, padded to the buffer that was asked for`, async () => {
    const quoting = provider(env);
    const report = ENCLAVE.report(await quoting.getTargetInfo(), new Uint8Array(64).fill(3));
    const size = await quoting.getQuoteSize();
    const quote = await quoting.getQuote(report, size);
    assert.equal(quote.length, size);
    assert.ok(bytesEqual(quote.subarray(48, 432), report.subarray(0, 384)));
    assert.equal(decodeQuote(quote).header.version, 3);
    const padded = await quoting.getQuote(report, size + 100);
    assert.equal(padded.length, size + 100);
    assert.ok(padded.subarray(size).every((byte) => byte === 0));
    await quoting.close();
  });

  test(`${mode}: a buffer that is too small is 0xE002`, async () => {
    const quoting = provider(env);
    const report = ENCLAVE.report(await quoting.getTargetInfo(), new Uint8Array(64));
    const size = await quoting.getQuoteSize();
    const { quote3, quote3Name } = await failure(() => quoting.getQuote(report, size - 1));
    assert.deepEqual([quote3, quote3Name], [0xe002, "INVALID_PARAMETER"]);
  });
}

test("in-process, a new platform has no key before the target info was asked for: 0xE00F", async () => {
  const { quote3, quote3Name } = await failure(() => provider({}).getQuoteSize());
  assert.deepEqual([quote3, quote3Name], [0xe00f, "ATT_KEY_NOT_INITIALIZED"]);
});

test("a report for another enclave is 0xE015 in-process, and what Intel's client leaves of it out-of-process: 0xE001", async () => {
  const report = ENCLAVE.report(ENCLAVE.targetInfo, new Uint8Array(64));
  const inProcess = provider({});
  await inProcess.getTargetInfo();
  assert.equal((await failure(() => inProcess.getQuote(report, 8000))).quote3, Quote3.INVALID_REPORT);
  const outOfProcess = provider(OUT_OF_PROCESS);
  await outOfProcess.getTargetInfo();
  const lost = await failure(() => outOfProcess.getQuote(report, 8000));
  assert.equal(lost.quote3, Quote3.UNEXPECTED);
  assert.equal((lost.cause as { aesm?: number }).aesm, 47, "the cause still knows");
});

test("out-of-process without a quote helper is 0xE040", async () => {
  const nobody = () => new AesmClient({ socketPath: join(directory, "nobody.socket"), connectAttempts: 1 });
  const { quote3, nextStep } = await failure(() => provider(OUT_OF_PROCESS, { connect: nobody }).getTargetInfo());
  assert.equal(quote3, 0xe040);
  assert.ok(nextStep.length > 0);
});

test("out-of-process, a helper that starts anew between two calls is asked for its key again; the caller does not notice", async () => {
  const path = join(directory, "anew.socket");
  const start = async () => serve({ socketPath: path, platform: await openTestPlatform({ state: openTestState() }) });
  let helper = await start();
  const restart = async () => {
    await helper.close(100);
    helper = await start();
  };
  const quoting = provider(OUT_OF_PROCESS, { connect: () => new AesmClient({ socketPath: path, connectAttempts: 1 }) });
  assert.equal((await failure(() => quoting.getQuoteSize())).quote3, 0xe00f, "nobody asked for the target info yet");
  const report = ENCLAVE.report(await quoting.getTargetInfo(), new Uint8Array(64));
  await restart();
  // Each start is with a state of its own here, whose certificates may be some bytes longer.
  const size = (await quoting.getQuoteSize()) + 100;
  await restart();
  assert.equal((await quoting.getQuote(report, size)).length, size);
  await helper.close(100);
});

test("out-of-process never loads the platform, in-process never connects", async () => {
  const openPlatform = () => Promise.reject(new Error("loaded"));
  const connect = () => {
    throw new Error("connected");
  };
  assert.equal((await provider(OUT_OF_PROCESS, { openPlatform }).getTargetInfo()).length, 512);
  assert.equal((await provider({}, { connect }).getTargetInfo()).length, 512);
});

test("the mode is fixed by the first call; the other one is an error that says why, and making a provider takes nothing", async () => {
  for (const [first, second, why] of [
    [{}, OUT_OF_PROCESS, /quotes in-process, because SGX_AESM_ADDR was not set when it first asked/],
    [OUT_OF_PROCESS, {}, /quotes out-of-process, because SGX_AESM_ADDR was set when it first asked/],
  ] as const) {
    const guard = new QuotingModeGuard();
    provider(second, { guard });
    await provider(first, { guard }).getTargetInfo();
    const other = provider(second, { guard });
    for (const call of [
      () => other.getTargetInfo(),
      () => other.getQuoteSize(),
      () => other.getQuote(new Uint8Array(432), 8000),
      () => other.setEnclaveLoadPolicy("persistent"),
    ]) {
      await assert.rejects(call, { code: "PROVIDER_MODE_FIXED", message: why });
    }
    await provider(first, { guard }).getTargetInfo();
  }
});

test("without a guard of its own a provider uses the one of the process", async () => {
  const openPlatform = () => openTestPlatform({ state: openTestState() });
  await createQuoteProvider({ env: {}, openPlatform }).getTargetInfo();
  await assert.rejects(createQuoteProvider({ env: OUT_OF_PROCESS, openPlatform }).getTargetInfo(), {
    code: "PROVIDER_MODE_FIXED",
  });
});

/** Runs a program of its own process, as an application would be written, with `directory` as its argument. */
function runApplication(program: string, env: Readonly<Record<string, string>> = {}): string {
  const { SGX_AESM_ADDR: _, ...inherited } = process.env;
  return execFileSync(process.execPath, ["--input-type=module", "--eval", program, join(directory, "in-process")], {
    cwd: import.meta.dirname,
    env: { ...inherited, ...env },
    encoding: "utf8",
  }).trim();
}

test("an application that passes its environment and a state directory quotes in-process, on the real file system", () => {
  const program = `
    import { createQuoteProvider } from "@confcom/quoting";
    import { createSoftwareEnclave } from "@confcom/quoting/software";
    const provider = createQuoteProvider({ env: process.env, stateDirectory: process.argv[1] });
    const report = createSoftwareEnclave().report(await provider.getTargetInfo(), new Uint8Array(64));
    const quote = await provider.getQuote(report, await provider.getQuoteSize());
    console.log(provider.mode, quote[0], quote.length > 4000);
    await provider.close();
  `;
  assert.equal(runApplication(program), "in-process 3 true");
  assert.deepEqual(readdirSync(join(directory, "in-process")).slice(-3), [
    "fuses.json",
    `pck-${toHex(CPU_SVNS.default)}-16.json`,
    "provisioning-ca.json",
  ]);
});

test("with nothing but the environment the state is where the quote helper keeps it", async () => {
  assert.equal(DEFAULT_STATE_DIRECTORY, "/var/lib/confcom");
  // Whoever runs this may or may not use that directory: it must not be made or changed by a test.
  const program = `
    import fs from "node:fs";
    import { syncBuiltinESMExports } from "node:module";
    fs.lstatSync = (path) => { throw Object.assign(new Error(path), { code: "EACCES" }); };
    syncBuiltinESMExports();
    const { createQuoteProvider } = await import("@confcom/quoting");
    const error = await createQuoteProvider({ env: {} }).getTargetInfo().catch((error) => error);
    console.log(error.quote3Name, error.cause.code, error.cause.message);
  `;
  assert.equal(
    runApplication(program),
    "ENCLAVE_LOAD_ERROR STATE_NOT_WRITABLE opening the state directory /var/lib/confcom failed with EACCES",
  );
});

test("options of another type are refused by name when the provider is made, and take no mode", async () => {
  const guard = new QuotingModeGuard();
  for (const [name, value] of Object.entries({
    env: null,
    openPlatform: 1,
    connect: {},
    warn: "x",
    stateDirectory: 7,
    retryForMs: -1,
  })) {
    const options = { env: {}, guard, [name]: value } as unknown as QuoteProviderOptions;
    assert.throws(() => createQuoteProvider(options), { code: "OPTION_INVALID", message: new RegExp(name) });
  }
  assert.throws(() => createQuoteProvider({ guard } as unknown as QuoteProviderOptions), { code: "OPTION_INVALID" });
  await provider(OUT_OF_PROCESS, { guard }).getTargetInfo();
});

test("a call with wrong arguments is 0xE002 or 0xE00C and takes no mode; the other mode is still free", async () => {
  const guard = new QuotingModeGuard();
  const wrong = provider({}, { guard });
  const report = new Uint8Array(432);
  for (const [bytes, size] of [
    [undefined, 8000],
    [null, 8000],
    [report.subarray(1), 8000],
    [report, undefined],
    [report, 0],
    [report, 1.5],
    [report, 2 ** 32],
  ] as const) {
    const call = () => wrong.getQuote(bytes as Uint8Array, size as number);
    assert.equal((await failure(call)).quote3, Quote3.INVALID_PARAMETER);
  }
  await failure(() => wrong.setEnclaveLoadPolicy("sometimes" as "persistent"));
  await provider(OUT_OF_PROCESS, { guard }).getTargetInfo();
});

test("a platform that did not open has taken the mode all the same: no process goes over to another key unnoticed", async () => {
  const guard = new QuotingModeGuard();
  const openPlatform = () => Promise.reject(new PlatformError("STATE_NOT_WRITABLE", "the disk is full"));
  await failure(() => provider({}, { guard, openPlatform }).getTargetInfo());
  await assert.rejects(provider(OUT_OF_PROCESS, { guard }).getTargetInfo(), { code: "PROVIDER_MODE_FIXED" });
  assert.equal((await provider({}, { guard }).getTargetInfo()).length, 512);
});

/** Counts how often a platform is opened and closed, over one state. */
function counted() {
  const fs = new CrashingFileSystem();
  const count = { opened: 0, closed: 0 };
  const openPlatform = async (): Promise<QuotingPlatform> => {
    count.opened++;
    const platform = await openTestPlatform({ state: openTestState(fs) });
    const close = platform.close.bind(platform);
    platform.close = () => {
      count.closed++;
      return close();
    };
    return platform;
  };
  return { count, openPlatform };
}

async function quoteOnce(quoting: QuoteProvider): Promise<void> {
  const report = ENCLAVE.report(await quoting.getTargetInfo(), new Uint8Array(64));
  await quoting.getQuote(report, await quoting.getQuoteSize());
}

test("persistent, the default: loaded at the first call and once; close unloads", async () => {
  const { count, openPlatform } = counted();
  const quoting = provider({}, { openPlatform });
  assert.deepEqual(count, { opened: 0, closed: 0 });
  await Promise.all([quoteOnce(quoting), quoteOnce(quoting)]);
  assert.deepEqual(count, { opened: 1, closed: 0 });
  await quoting.close();
  assert.deepEqual(count, { opened: 1, closed: 1 });
});

test("ephemeral: going over to it unloads at once, and each call loads and unloads, with the same key", async () => {
  const { count, openPlatform } = counted();
  const quoting = provider({}, { openPlatform });
  await quoteOnce(quoting);
  await quoting.setEnclaveLoadPolicy("ephemeral");
  assert.deepEqual(count, { opened: 1, closed: 1 });
  await quoteOnce(quoting);
  assert.deepEqual(count, { opened: 4, closed: 4 });
  await failure(() => quoting.getQuote(new Uint8Array(432), 8000));
  assert.deepEqual(count, { opened: 5, closed: 5 }, "a failing call unloads too");
  await quoting.setEnclaveLoadPolicy("persistent");
  await quoteOnce(quoting);
  assert.deepEqual(count, { opened: 6, closed: 5 });
});

test("load policies: 0xE00C for one that does not exist, 0xE03E for any out of process", async () => {
  const unknown = "sometimes" as "persistent";
  assert.equal((await failure(() => provider({}).setEnclaveLoadPolicy(unknown))).quote3, 0xe00c);
  for (const policy of ["persistent", "ephemeral", unknown] as const) {
    const { quote3, quote3Name } = await failure(() => provider(OUT_OF_PROCESS).setEnclaveLoadPolicy(policy));
    assert.deepEqual([quote3, quote3Name], [0xe03e, "UNSUPPORTED_MODE"]);
  }
});

test("a platform that does not load is 0xE016 with the reason, and is tried again at the next call", async () => {
  let broken = true;
  const openPlatform = () =>
    broken
      ? Promise.reject(new PlatformError("STATE_NOT_WRITABLE", "the disk is full"))
      : openTestPlatform({ state: openTestState() });
  const quoting = provider({}, { openPlatform });
  const { quote3, message } = await failure(() => quoting.getTargetInfo());
  assert.equal(quote3, 0xe016);
  assert.match(message, /the disk is full/);
  broken = false;
  assert.equal((await quoting.getTargetInfo()).length, 512);
});
