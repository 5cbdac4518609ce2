import assert from "node:assert/strict";
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { test } from "node:test";
import { QuotingError } from "@confcom/aesm";
import {
  ATTRIBUTE_FLAGS,
  bytesEqual,
  concatBytes,
  decodeAttestationKeyId,
  decodeQuote,
  decodeReportBody,
  ECDSA_P256_KEY_ID,
  encodeAttestationKeyId,
  encodeQeReportInfo,
  QUOTE_VENDOR_INTEL,
  toHex,
} from "@confcom/sgx";
import { verifyP256 } from "../crypto/p256.ts";
import { CrashingFileSystem } from "../testing/crashing-file-system.ts";
import { openTestPlatform, openTestState, TEST_STATE, testRandom } from "../testing/test-platform.ts";
import { CPU_SVN_NAMES, CPU_SVNS } from "./cpu/cpu-svn.ts";
import { type Fuses, openFuses } from "./cpu/fuses.ts";
import { createSoftwareEnclave, type SoftwareEnclave } from "./cpu/software-enclave.ts";
import { QE_IDENTITY } from "./qe/qe-identity.ts";
import type { PlatformSnapshot } from "./snapshot.ts";
import { createSnapshotPlatform } from "./snapshot-platform.ts";
import type { SoftwarePlatform } from "./software-platform.ts";

const ID = ECDSA_P256_KEY_ID;
const APP: SoftwareEnclave = createSoftwareEnclave({
  identity: { mrEnclave: new Uint8Array(32).fill(0xa), isvProdId: 3, isvSvn: 4 },
});
const REPORT_DATA = new Uint8Array(64).fill(0x77);
const BLOB = `${TEST_STATE}/ecdsa_data.blob`;

async function quoteOf(platform: SoftwarePlatform, enclave = APP) {
  const { targetInfo } = await platform.initQuote(ID);
  return (await platform.getQuote(ID, enclave.report(targetInfo, REPORT_DATA))).quote;
}

async function refusal(call: () => unknown): Promise<{ aesm: number; quote3: number; nextStep: string }> {
  try {
    await call();
  } catch (error) {
    if (error instanceof QuotingError) return { aesm: error.aesm, quote3: error.quote3, nextStep: error.nextStep };
    throw error;
  }
  throw new Error("the call was not refused");
}

function certificatesOf(quote: Uint8Array): X509Certificate[] {
  const { signatureData } = decodeQuote(quote);
  const pem = new TextDecoder().decode(signatureData.certificationData);
  return (pem.match(/-----BEGIN[\s\S]*?END CERTIFICATE-----/g) ?? []).map((text) => new X509Certificate(text));
}

function attestationKeyOf(quote: Uint8Array) {
  const { attestationKey } = decodeQuote(quote).signatureData;
  const [x, y] = [attestationKey.subarray(0, 32), attestationKey.subarray(32)].map((half) =>
    Buffer.from(half).toString("base64url"),
  );
  return createPublicKey({ key: { kty: "EC", crv: "P-256", x: x ?? "", y: y ?? "" }, format: "jwk" });
}

test("before the first init there is no key: size and quote answer 42, init makes it, and then both work", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  assert.deepEqual(platform.supportedKeyIds(), [ID]);
  assert.equal(platform.pubKeyIdSize(ID), 32);
  assert.deepEqual(await refusal(() => platform.quoteSize(ID)).then((r) => [r.aesm, r.quote3]), [42, 0xe00f]);
  assert.equal((await refusal(() => platform.getQuote(ID, new Uint8Array(432)))).aesm, 42);
  const { targetInfo, pubKeyId } = await platform.initQuote(ID);
  assert.equal(targetInfo.length, 512);
  assert.equal(pubKeyId.length, 32);
  const { quote } = await platform.getQuote(ID, APP.report(targetInfo, REPORT_DATA));
  assert.equal(quote.length, await platform.quoteSize(ID));
});

test("once announced, answers come at once, without a promise", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  assert.ok(platform.initQuote(ID) instanceof Promise);
  await platform.initQuote(ID);
  for (const answer of [platform.initQuote(ID), platform.quoteSize(ID)]) assert.equal(answer instanceof Promise, false);
});

test("the target info fills MRENCLAVE, ATTRIBUTES and MISCSELECT of the QE and nothing else", async () => {
  const { targetInfo } = await (await openTestPlatform({ state: openTestState() })).initQuote(ID);
  assert.ok(bytesEqual(targetInfo.subarray(0, 32), createHash("sha256").update("confcom software QE").digest()));
  assert.equal(targetInfo[32], 0x15);
  assert.ok(targetInfo.subarray(48).every((byte) => byte === 0));
});

test("a quote's header, body and certification are those of the specification", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const { pubKeyId, targetInfo } = await platform.initQuote(ID);
  const report = APP.report(targetInfo, REPORT_DATA);
  const { quote } = await platform.getQuote(ID, report);
  const { header, body, signatureData } = decodeQuote(quote);
  assert.deepEqual([header.version, header.attestationKeyType, header.teeType], [3, 2, 0]);
  assert.deepEqual([header.qeSvn, header.pceSvn], [11, 16]);
  assert.ok(bytesEqual(header.qeVendorId, QUOTE_VENDOR_INTEL));
  assert.ok(header.userData.subarray(0, 16).some((byte) => byte !== 0));
  assert.ok(header.userData.subarray(16).every((byte) => byte === 0));
  assert.ok(bytesEqual(quote.subarray(48, 432), report.subarray(0, 384)), "the body is the report's");
  assert.equal(body.kind, "sgx");
  assert.deepEqual(
    [...signatureData.qeAuthData],
    Array.from({ length: 32 }, (_, i) => i),
  );
  assert.equal(signatureData.certificationDataType, 5);
  assert.equal(signatureData.certificationData.at(-1), 0, "one trailing NUL, counted");
  assert.notEqual(signatureData.certificationData.at(-2), 0);
  assert.equal(quote.length, 436 + 576 + 2 + 32 + 6 + signatureData.certificationData.length);
  const qeReport = decodeReportBody(signatureData.qeReport);
  assert.deepEqual([qeReport.isvProdId, qeReport.isvSvn], [1, 11]);
  assert.ok(bytesEqual(qeReport.mrSigner, QE_IDENTITY.mrSigner));
  assert.equal(qeReport.attributes.flags & ATTRIBUTE_FLAGS.DEBUG, 0n);
  const bound = createHash("sha256").update(signatureData.attestationKey).update(signatureData.qeAuthData).digest();
  assert.ok(bytesEqual(qeReport.reportData, concatBytes(bound, new Uint8Array(32))));
  assert.ok(bytesEqual(pubKeyId, bound), "pub_key_id is ECDSA_ID");
});

test("every signature in a quote verifies up to the platform's root", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const quote = await quoteOf(platform);
  const { signatureData } = decodeQuote(quote);
  const [leaf, intermediate, root] = certificatesOf(quote) as [X509Certificate, X509Certificate, X509Certificate];
  assert.ok(verifyP256(attestationKeyOf(quote), quote.subarray(0, 432), signatureData.signature));
  assert.ok(verifyP256(leaf.publicKey, signatureData.qeReport, signatureData.qeReportSignature));
  assert.ok(leaf.verify(intermediate.publicKey) && intermediate.verify(root.publicKey) && root.verify(root.publicKey));
  assert.equal(
    root.raw.toString("hex"),
    new X509Certificate(platform.authority.rootCertificatePem).raw.toString("hex"),
  );
});

test("with a nonce and a target the QE reports SHA-256 of nonce and quote to that enclave", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const { targetInfo } = await platform.initQuote(ID);
  const nonce = new Uint8Array(16).fill(9);
  const info = encodeQeReportInfo({ nonce, appEnclaveTargetInfo: APP.targetInfo, qeReport: new Uint8Array(432) });
  const { quote, qeReport } = await platform.getQuote(ID, APP.report(targetInfo, REPORT_DATA), info);
  assert.ok(qeReport !== undefined && APP.verifyReport(qeReport));
  const body = decodeReportBody(qeReport.subarray(0, 384));
  const hash = createHash("sha256").update(nonce).update(quote).digest();
  assert.ok(bytesEqual(body.reportData, concatBytes(hash, new Uint8Array(32))));
  assert.ok(bytesEqual(body.mrEnclave, QE_IDENTITY.mrEnclave));
  const plain = await platform.getQuote(ID, APP.report(targetInfo, REPORT_DATA));
  assert.equal("qeReport" in plain, false, "without a question there is no report");
});

test("refusals: 47 for a report not for this QE, 3 for sizes, 38 for another key id", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const { targetInfo } = await platform.initQuote(ID);
  const good = APP.report(targetInfo, REPORT_DATA);
  const other = { ...ID, prodId: 2 };
  const table: readonly [string, () => unknown, number, number][] = [
    [
      "a report for the application itself",
      () => platform.getQuote(ID, APP.report(APP.targetInfo, REPORT_DATA)),
      47,
      0xe015,
    ],
    ["a report of zeros", () => platform.getQuote(ID, new Uint8Array(432)), 47, 0xe015],
    [
      "a changed MAC",
      () =>
        platform.getQuote(
          ID,
          good.map((b, i) => (i === 420 ? b ^ 1 : b)),
        ),
      47,
      0xe015,
    ],
    ["a short report", () => platform.getQuote(ID, good.subarray(1)), 3, 0xe002],
    ["a short qe_report_info", () => platform.getQuote(ID, good, new Uint8Array(959)), 3, 0xe002],
    ["another key id at init", () => platform.initQuote(other), 38, 0xe00b],
    ["another key id for the size", () => platform.quoteSize(other), 38, 0xe00b],
    ["another key id for a quote", () => platform.getQuote(other, good), 38, 0xe00b],
    ["another key id for the id's size", () => platform.pubKeyIdSize(other), 38, 0xe00b],
  ];
  for (const [what, call, aesm, quote3] of table) {
    const refused = await refusal(call);
    assert.deepEqual([refused.aesm, refused.quote3], [aesm, quote3], what);
    assert.ok(refused.nextStep.length > 20, what);
  }
});

test("a key id decoded from the wire is the same key id, whatever its SPID and type say", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const bytes = encodeAttestationKeyId(ID);
  bytes.fill(0x5a, 158);
  assert.equal((await platform.initQuote(decodeAttestationKeyId(bytes))).pubKeyId.length, 32);
});

test("reports of all three CPUSVNs are quoted, with random KEYIDs too", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  for (const cpuSvn of CPU_SVN_NAMES) {
    for (const keyId of [undefined, testRandom(cpuSvn)(32)]) {
      const quote = await quoteOf(platform, createSoftwareEnclave({ cpuSvn, ...(keyId && { keyId }) }));
      assert.ok(bytesEqual(quote.subarray(48, 64), CPU_SVNS[cpuSvn]));
    }
  }
});

test("a restart has the same key ready without an init, and gives the same bytes around the signature", async () => {
  const fs = new CrashingFileSystem();
  const before = await openTestPlatform({ state: openTestState(fs) });
  const quote = await quoteOf(before);
  const after = await openTestPlatform({ state: openTestState(fs), random: testRandom("later") });
  assert.equal(after.quoteSize(ID), quote.length);
  assert.deepEqual(await after.initQuote(ID), await before.initQuote(ID));
  const again = await quoteOf(after);
  assert.deepEqual(again.subarray(0, 436), quote.subarray(0, 436));
  assert.deepEqual(again.subarray(500), quote.subarray(500));
});

test("the private profile keeps its key across restarts, accepts only its own CPU's reports, and refuses another profile", async () => {
  const fs = new CrashingFileSystem();
  const open = (seed: string) =>
    openTestPlatform({ state: openTestState(fs), profile: "private", random: testRandom(seed) });
  const first = await open("a");
  const { pubKeyId, targetInfo } = await first.initQuote(ID);
  const secrets = first.reportSecrets;
  const own = createSoftwareEnclave({ secrets, keyId: testRandom("k")(32) });
  assert.equal((await quoteOf(first, own)).length, first.quoteSize(ID) as number);
  assert.equal((await refusal(() => first.getQuote(ID, APP.report(targetInfo, REPORT_DATA)))).aesm, 47);
  const second = await open("b");
  assert.deepEqual((await second.initQuote(ID)).pubKeyId, pubKeyId);
  assert.equal((await quoteOf(second, own)).length, second.quoteSize(ID) as number);
  assert.notDeepEqual(second.snapshot().cpu.keyId, first.snapshot().cpu.keyId, "KEYID is new for each start");
  await assert.rejects(openTestPlatform({ state: openTestState(fs), profile: "sdk-simulation" }), {
    code: "PROFILE_FIXED",
    message: /ask for "private", or name another state directory/,
  });
  assert.equal((await openTestPlatform({ state: openTestState(fs) })).profile, "private");
});

test("another CPUSVN is another key and certificate; going back brings the first key back", async () => {
  const fs = new CrashingFileSystem();
  const ids = new Map<string, string>();
  for (const cpuSvn of ["default", "upgraded", "downgraded", "default", "upgraded"] as const) {
    const warnings: string[] = [];
    const platform = await openTestPlatform({ state: openTestState(fs), cpuSvn, warn: (text) => warnings.push(text) });
    assert.equal((await refusal(() => platform.quoteSize(ID))).aesm, 42, "the stored key is not for this TCB");
    const id = toHex((await platform.initQuote(ID)).pubKeyId);
    assert.equal(ids.get(cpuSvn) ?? id, id);
    ids.set(cpuSvn, id);
    assert.deepEqual(warnings, [], "an older TCB's blob is no damage");
    const quote = await quoteOf(platform);
    const { signatureData } = decodeQuote(quote);
    assert.ok(bytesEqual(signatureData.qeReport.subarray(0, 16), CPU_SVNS[cpuSvn]));
    const [leaf] = certificatesOf(quote) as [X509Certificate];
    assert.ok(toHex(leaf.raw).includes(toHex(CPU_SVNS[cpuSvn])), "the PCK certificate names the CPUSVN");
    assert.ok(verifyP256(leaf.publicKey, signatureData.qeReport, signatureData.qeReportSignature));
  }
  assert.equal(new Set(ids.values()).size, 3);
});

test("a damaged key blob is moved aside, warned of, and the same key made again", async () => {
  const fs = new CrashingFileSystem();
  const { pubKeyId } = await (await openTestPlatform({ state: openTestState(fs) })).initQuote(ID);
  for (const bit of [8, 600 * 8, 2204 * 8]) {
    fs.damage(BLOB, bit);
    const warnings: string[] = [];
    const platform = await openTestPlatform({ state: openTestState(fs), warn: (text) => warnings.push(text) });
    assert.equal((await refusal(() => platform.quoteSize(ID))).aesm, 42);
    assert.deepEqual((await platform.initQuote(ID)).pubKeyId, pubKeyId);
    assert.match(
      warnings.join("\n"),
      /ecdsa_data\.blob is damaged .* moved to ecdsa_data\.blob\.damaged-20261121T000000Z/,
    );
  }
  assert.equal(fs.list(TEST_STATE).filter((name) => name.includes(".damaged-")).length, 3);
});

test("damaged fuses refuse to start whichever bit it is, and nothing is overwritten", async () => {
  const fs = new CrashingFileSystem();
  await (await openTestPlatform({ state: openTestState(fs) })).initQuote(ID);
  const path = `${TEST_STATE}/fuses.json`;
  const size = fs.inspect(path)?.size ?? 0;
  const names = fs.list(TEST_STATE);
  for (let bit = 0; bit < size * 8; bit += 7) {
    fs.damage(path, bit);
    const damaged = fs.readFile(path, size);
    await assert.rejects(openTestPlatform({ state: openTestState(fs) }), {
      code: "STATE_DAMAGED",
      message: /fuses\.json/,
    });
    assert.deepEqual(fs.readFile(path, size), damaged);
    assert.deepEqual(fs.list(TEST_STATE), names);
    fs.damage(path, bit);
  }
  await openTestPlatform({ state: openTestState(fs) });
});

test("lost fuses refuse to start while anything made after them is there, and nothing is changed", async () => {
  const fs = new CrashingFileSystem();
  await (await openTestPlatform({ state: openTestState(fs) })).initQuote(ID);
  fs.remove(`${TEST_STATE}/fuses.json`);
  for (const later of ["provisioning-ca.json", "crl-state.json", "ecdsa_data.blob"]) {
    const names = fs.list(TEST_STATE);
    await assert.rejects(openTestPlatform({ state: openTestState(fs), random: testRandom("again") }), {
      code: "STATE_DAMAGED",
      message: new RegExp(`fuses\\.json is missing .*, and ${later.replace(".", "\\.")} shows that there was one`),
    });
    assert.deepEqual(fs.list(TEST_STATE), names);
    fs.remove(`${TEST_STATE}/${later}`);
  }
  await openTestPlatform({ state: openTestState(fs), random: testRandom("again") });
});

test("fuses that another first start makes between two looks are no lost fuses, whenever it comes in", async () => {
  let adopted = 0;
  for (let at = 0; at < 25; at++) {
    const disk = new CrashingFileSystem();
    const state = openTestState(disk);
    let other: Fuses | undefined;
    const start = disk.operations;
    disk.before = (operation) => {
      if (operation !== start + at) return;
      const others = openTestState(disk.share());
      other = openFuses(others, undefined, testRandom("other"));
      others.createOnce("crl-state.json", new Uint8Array(1));
    };
    const mine = openFuses(state, undefined, testRandom("mine"));
    if (other === undefined) continue;
    assert.deepEqual(mine, other, `at operation ${at}`);
    adopted++;
  }
  assert.ok(adopted > 10, `${adopted}`);
});

/** What the files of a state directory hold. */
function contents(fs: CrashingFileSystem): ReadonlyMap<string, string> {
  const read = (name: string) => toHex(fs.readFile(`${TEST_STATE}/${name}`, 1 << 20) ?? new Uint8Array());
  return new Map(fs.list(TEST_STATE).map((name) => [name, read(name)]));
}

/** A state directory after its first init, and the platform that made it. */
async function initialized(seed: string) {
  const fs = new CrashingFileSystem();
  const platform = await openTestPlatform({ state: openTestState(fs), random: testRandom(seed) });
  const { pubKeyId } = await platform.initQuote(ID);
  return { fs, platform, pubKeyId };
}

test("fuses or CA keys of another state directory are refused with both files named, and nothing is overwritten", async () => {
  for (const name of ["fuses.json", "provisioning-ca.json"]) {
    const [mine, other] = [await initialized("mine"), await initialized("other")];
    const foreign = other.fs.readFile(`${TEST_STATE}/${name}`, 1 << 20) as Uint8Array;
    openTestState(mine.fs).replace(name, foreign);
    const before = contents(mine.fs);
    await assert.rejects(openTestPlatform({ state: openTestState(mine.fs) }), {
      code: "STATE_DAMAGED",
      message: /provisioning-ca\.json and fuses\.json in .* do not belong together/,
    });
    assert.deepEqual(contents(mine.fs), before, name);
  }
});

test("what CA keys say of the fuses gives no base key away", async () => {
  const { fs } = await initialized("secret");
  const { fuses, content } = {
    fuses: JSON.parse(new TextDecoder().decode(fs.readFile(`${TEST_STATE}/fuses.json`, 4096))),
    content: JSON.parse(new TextDecoder().decode(fs.readFile(`${TEST_STATE}/provisioning-ca.json`, 1 << 20))).content,
  };
  assert.match(content.fuses, /^[0-9a-f]{64}$/);
  for (const key of Object.values(fuses)) assert.equal(JSON.stringify(content).includes(String(key)), false);
});

test("reload refuses another root, or none, and goes on serving with everything as it was", async () => {
  const [mine, other] = [await initialized("mine"), await initialized("other")];
  const quote = await quoteOf(mine.platform);
  const foreign = other.fs.readFile(`${TEST_STATE}/provisioning-ca.json`, 1 << 20) as Uint8Array;
  openTestState(mine.fs).replace("provisioning-ca.json", foreign);
  let before = contents(mine.fs);
  await assert.rejects(mine.platform.reload(), { code: "STATE_REPLACED", message: /another root than the one in use/ });
  assert.deepEqual(contents(mine.fs), before);
  for (const name of ["provisioning-ca.json", "crl-state.json"]) mine.fs.remove(`${TEST_STATE}/${name}`);
  before = contents(mine.fs);
  await assert.rejects(mine.platform.reload(), { code: "STATE_REPLACED", message: /provisioning-ca\.json is gone/ });
  assert.deepEqual(contents(mine.fs), before);
  // A new root for the same CPU, made behind the running platform's back.
  await openTestPlatform({ state: openTestState(mine.fs), random: testRandom("behind") });
  await assert.rejects(mine.platform.reload(), { code: "STATE_REPLACED", message: /another root than the one in use/ });
  assert.deepEqual((await quoteOf(mine.platform)).subarray(500), quote.subarray(500));
});

test("of a damaged blob the warning says what becomes of its key, and no more than was compared", async () => {
  const warned = async (change: (scene: { fs: CrashingFileSystem }) => void | Promise<void>) => {
    const scene = await initialized("mine");
    await change(scene);
    const warnings: string[] = [];
    const warn = (text: string) => warnings.push(text);
    const platform = await openTestPlatform({ state: openTestState(scene.fs), warn });
    const made = toHex((await platform.initQuote(ID)).pubKeyId);
    assert.equal(warnings.length, 1);
    return { warning: warnings[0] as string, held: toHex(scene.pubKeyId), made };
  };
  const same = await warned(({ fs }) => fs.damage(BLOB, 600 * 8));
  assert.equal(same.made, same.held);
  assert.ok(same.warning.endsWith(`the same key is made again: ${same.held}`), same.warning);
  const unreadable = await warned(({ fs }) => fs.damage(BLOB, (560 + 422 + 1121) * 8));
  assert.ok(
    unreadable.warning.endsWith(`which key it held cannot be read, and the key made next is ${unreadable.made}`),
    unreadable.warning,
  );
  const other = await initialized("other");
  const foreign = other.fs.readFile(BLOB, 4096) as Uint8Array;
  const replaced = await warned(({ fs }) => openTestState(fs).replace("ecdsa_data.blob", foreign));
  const names = `it names the key ${toHex(other.pubKeyId)}, which this platform cannot make now`;
  assert.ok(replaced.warning.endsWith(`${names}, and the key made next is ${replaced.made}`), replaced.warning);
});

test("lost PCK certificates are issued again, and the key stays", async () => {
  const fs = new CrashingFileSystem();
  const first = await openTestPlatform({ state: openTestState(fs) });
  const { pubKeyId } = await first.initQuote(ID);
  for (const name of fs.list(TEST_STATE).filter((name) => name.startsWith("pck-"))) fs.remove(`${TEST_STATE}/${name}`);
  const second = await openTestPlatform({ state: openTestState(fs), random: testRandom("again") });
  assert.equal(typeof second.quoteSize(ID), "number");
  assert.deepEqual((await second.initQuote(ID)).pubKeyId, pubKeyId);
  const [leaf] = certificatesOf(await quoteOf(second)) as [X509Certificate];
  const [old] = certificatesOf(await quoteOf(first)) as [X509Certificate];
  assert.notEqual(leaf.serialNumber, old.serialNumber);
});

test("a key is not handed out when its blob cannot be written: 15, and the next init tries again", async () => {
  const fs = new CrashingFileSystem();
  const state = openTestState(fs);
  const platform = await openTestPlatform({ state });
  let full = true;
  const createFile = fs.createFile.bind(fs);
  fs.createFile = (path, mode) => {
    if (full) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    return createFile(path, mode);
  };
  const refused = await refusal(() => platform.initQuote(ID));
  assert.deepEqual([refused.aesm, refused.quote3], [15, 0xe006]);
  assert.equal((await refusal(() => platform.quoteSize(ID))).aesm, 42);
  full = false;
  assert.equal((await platform.initQuote(ID)).pubKeyId.length, 32);
});

/** Makes every operation that changes something fail, as a read-only mount does. */
function makeReadOnly(fs: CrashingFileSystem): void {
  const refuse = (): never => {
    throw Object.assign(new Error("EROFS"), { code: "EROFS" });
  };
  Object.assign(fs, {
    makeDirectory: refuse,
    changeMode: refuse,
    createFile: refuse,
    rename: refuse,
    link: refuse,
    remove: refuse,
  });
}

test("a read-only state with a key serves it; without one for this TCB it is refused at start, not at every init", async () => {
  const { fs, platform, pubKeyId } = await initialized("mine");
  makeReadOnly(fs);
  const started = await openTestPlatform({ state: openTestState(fs) });
  assert.deepEqual((await started.initQuote(ID)).pubKeyId, pubKeyId);
  const refused = { code: "STATE_NOT_WRITABLE", message: /EROFS/ };
  await assert.rejects(openTestPlatform({ state: openTestState(fs), cpuSvn: "upgraded" }), refused);
  await assert.rejects(platform.reload({ cpuSvn: "upgraded" }), refused);
  assert.deepEqual((await platform.initQuote(ID)).pubKeyId, pubKeyId, "a refused reload changes nothing");

  const fresh = new CrashingFileSystem();
  await openTestPlatform({ state: openTestState(fresh) });
  makeReadOnly(fresh);
  await assert.rejects(openTestPlatform({ state: openTestState(fresh) }), refused);
});

test("whether the state can be written is found out without leaving anything behind", async () => {
  const fs = new CrashingFileSystem();
  await openTestPlatform({ state: openTestState(fs) });
  const before = contents(fs);
  await openTestPlatform({ state: openTestState(fs) });
  assert.deepEqual(contents(fs), before);
  assert.deepEqual(
    [...before.keys()].filter((name) => name.endsWith(".tmp")),
    [],
  );
});

test("an authority that certifies another key, or answers nonsense, is not believed", async () => {
  const state = openTestState();
  const real = (await openTestPlatform({ state })).authority;
  const lying = (chainPem: string) => ({
    ...real,
    encryptionKey: real.encryptionKey,
    rootCertificatePem: "",
    collateral: real.collateral,
    pckChain: async () => ({ chainPem, cpuSvn: CPU_SVNS.default, pceSvn: 16 }),
  });
  for (const chainPem of [real.rootCertificatePem.repeat(3), "no certificate"]) {
    const platform = await openTestPlatform({ state: openTestState(), openAuthority: async () => lying(chainPem) });
    const refused = await refusal(() => platform.initQuote(ID));
    assert.deepEqual([refused.aesm, refused.quote3], [43, 0xe010]);
  }
});

test("concurrent first inits make one key, published once, and every caller gets it", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const published: PlatformSnapshot[] = [];
  platform.onSnapshot((snapshot) => void published.push(snapshot));
  const answers = await Promise.all(Array.from({ length: 20 }, async () => platform.initQuote(ID)));
  assert.equal(new Set(answers.map(({ pubKeyId }) => toHex(pubKeyId))).size, 1);
  assert.equal(published.length, 1);
});

test("nobody learns of a key before every listener has acknowledged it", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  let acknowledge = () => {};
  const worker = createSnapshotPlatform(platform.snapshot(), {
    requestInit: async () => void (await platform.initQuote(ID)),
  });
  platform.onSnapshot((snapshot) => {
    worker.update(snapshot);
    return new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
  });
  let mainAnswered = false;
  let workerAnswered = false;
  const main = Promise.resolve(platform.initQuote(ID)).then(() => {
    mainAnswered = true;
  });
  while (worker.generation === 0) await new Promise((resolve) => setImmediate(resolve));
  const onWorker = Promise.resolve(worker.initQuote(ID)).then(() => {
    workerAnswered = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([mainAnswered, workerAnswered], [false, false]);
  assert.equal(typeof worker.quoteSize(ID), "number", "the worker can quote before anyone may ask it to");
  acknowledge();
  await Promise.all([main, onWorker]);
  assert.equal(worker.initQuote(ID) instanceof Promise, false);
});

test("a snapshot survives posting to another thread and serves there as here", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  await platform.initQuote(ID);
  const worker = createSnapshotPlatform(structuredClone(platform.snapshot()), {
    requestInit: () => Promise.reject(new Error("not needed")),
  });
  const init = await worker.initQuote(ID);
  assert.deepEqual(init, await platform.initQuote(ID));
  const { quote } = await worker.getQuote(ID, APP.report(init.targetInfo, REPORT_DATA));
  assert.ok(verifyP256(attestationKeyOf(quote), quote.subarray(0, 432), decodeQuote(quote).signatureData.signature));
});

test("a worker ignores an older snapshot, and keeps its own when a newer one fails the self-check", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const empty = platform.snapshot();
  await platform.initQuote(ID);
  const ready = platform.snapshot();
  const worker = createSnapshotPlatform(ready, { requestInit: async () => {} });
  worker.update(empty);
  assert.equal(typeof worker.quoteSize(ID), "number");
  const key = { ...(ready.key as NonNullable<typeof ready.key>), privateKey: new Uint8Array(32).fill(1) };
  assert.throws(() => worker.update({ ...ready, generation: 9, key }), { code: "QE_CRYPTO_ERROR" });
  assert.equal(worker.generation, ready.generation);
  assert.equal(typeof worker.quoteSize(ID), "number");
});

test("a worker whose writer fails passes the failure on, and one left without the snapshot says so", async () => {
  const { generation, cpu } = (await openTestPlatform({ state: openTestState() })).snapshot();
  const failing = createSnapshotPlatform({ generation, cpu }, { requestInit: () => Promise.reject(new Error("gone")) });
  assert.equal((await refusal(() => failing.initQuote(ID))).aesm, 1);
  const forgetful = createSnapshotPlatform({ generation, cpu }, { requestInit: async () => {} });
  await assert.rejects(async () => forgetful.initQuote(ID), { message: /did not arrive/ });
});

test("the snapshot holds no fuses but what reports need", async () => {
  const platform = await openTestPlatform({ state: openTestState(), profile: "private" });
  await platform.initQuote(ID);
  const { generation, cpu, key } = platform.snapshot();
  assert.deepEqual(Object.keys(platform.snapshot()).sort(), ["cpu", "generation", "key"]);
  assert.equal(generation, 1);
  assert.deepEqual(Object.keys(cpu.secrets).sort(), ["ownerEpoch", "reportBaseKey"]);
  assert.deepEqual(Object.keys(key ?? {}).sort(), ["privateKey", "pubKeyId", "template"]);
});

test("reload without a change publishes nothing; with another chain it publishes, and the key stays", async () => {
  const fs = new CrashingFileSystem();
  const platform = await openTestPlatform({ state: openTestState(fs) });
  const { pubKeyId } = await platform.initQuote(ID);
  const published: PlatformSnapshot[] = [];
  platform.onSnapshot((snapshot) => void published.push(snapshot));
  await platform.reload();
  assert.equal(published.length, 0);
  for (const name of fs.list(TEST_STATE).filter((name) => name.startsWith("pck-"))) fs.remove(`${TEST_STATE}/${name}`);
  await platform.reload();
  assert.equal(published.length, 1);
  assert.deepEqual((await platform.initQuote(ID)).pubKeyId, pubKeyId);
  assert.equal((await quoteOf(platform)).length, platform.quoteSize(ID) as number);
});

test("reload makes a lost or damaged blob again for the key in use", async () => {
  const fs = new CrashingFileSystem();
  const platform = await openTestPlatform({ state: openTestState(fs) });
  const { pubKeyId } = await platform.initQuote(ID);
  fs.remove(BLOB);
  await platform.reload();
  fs.damage(BLOB, 99);
  await platform.reload();
  assert.equal(typeof platform.quoteSize(ID), "number");
  const restarted = await openTestPlatform({ state: openTestState(fs) });
  assert.deepEqual((await restarted.initQuote(ID)).pubKeyId, pubKeyId);
});

test("reload with another CPUSVN moves the TCB: 42 until the next init, then another key", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const { pubKeyId } = await platform.initQuote(ID);
  await platform.reload({ cpuSvn: "upgraded" });
  assert.equal(platform.cpuSvn, "upgraded");
  assert.equal((await refusal(() => platform.quoteSize(ID))).aesm, 42);
  assert.notDeepEqual((await platform.initQuote(ID)).pubKeyId, pubKeyId);
});

test("reload refuses fuses that are damaged, gone or another installation's, and goes on serving", async () => {
  const fs = new CrashingFileSystem();
  const platform = await openTestPlatform({ state: openTestState(fs) });
  const quote = await quoteOf(platform);
  const path = `${TEST_STATE}/fuses.json`;
  fs.damage(path, 800);
  await assert.rejects(platform.reload(), { code: "STATE_DAMAGED" });
  fs.remove(path);
  await assert.rejects(platform.reload(), { code: "STATE_REPLACED" });
  assert.equal(fs.inspect(path), undefined, "no new fuses under a running platform");
  const others = new CrashingFileSystem();
  await openTestPlatform({ state: openTestState(others), random: testRandom("others") });
  openTestState(fs).replace("fuses.json", others.readFile(path, 4096) as Uint8Array);
  await assert.rejects(platform.reload(), { code: "STATE_REPLACED" });
  assert.deepEqual((await quoteOf(platform)).subarray(500), quote.subarray(500));
});

test("with a reused buffer each quote is whole until the next, and without one they stay apart", async () => {
  const platform = await openTestPlatform({ state: openTestState() });
  const { targetInfo } = await platform.initQuote(ID);
  const reports = [1, 2].map((byte) => APP.report(targetInfo, new Uint8Array(64).fill(byte)));
  for (const reuseQuoteBuffer of [true, false]) {
    const worker = createSnapshotPlatform(platform.snapshot(), { requestInit: async () => {}, reuseQuoteBuffer });
    const made: Uint8Array[] = [];
    for (const report of reports) {
      const { quote } = await worker.getQuote(ID, report);
      assert.ok(bytesEqual(decodeQuote(quote).bodyBytes, report.subarray(0, 384)));
      assert.equal(isSignedByItsKey(quote), true);
      made.push(quote);
    }
    assert.equal(made[0] === made[1], reuseQuoteBuffer);
  }
});

function isSignedByItsKey(quote: Uint8Array): boolean {
  const { signedBytes, signatureData } = decodeQuote(quote);
  return verifyP256(attestationKeyOf(quote), signedBytes, signatureData.signature);
}
