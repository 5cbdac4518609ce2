import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { openSqliteStore } from "@confcom/collateral/store/sqlite";
import { SoftwarePki } from "@confcom/collateral/testing";
import Sqlite from "better-sqlite3";
import { Command } from "commander";
import { register } from "../../commands/pccs.ts";
import { ExitCode } from "../../exit-code.ts";
import { describeFailure } from "../../failure.ts";

// import, export, migrate, backup and restore as an operator runs them: exit status, standard output, standard error, files.
// Each runs as a process once; what is refused, within this one, from the same command line.

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "confcom-store-commands-"));
const path = (name: string) => join(scratch, name);
const children: ChildProcess[] = [];
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

const pki = new SoftwarePki();
const ROOT = ["--trusted-root", path("root.pem")];
/** A file with 30 platforms, made by an export; its state directory is `source`. */
const FLEET = path("fleet.json");
const PLATFORMS = 30;

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function pccs(args: readonly string[], input?: string): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, "pccs", ...args], { env: { ...process.env, NO_COLOR: "1" } });
  children.push(child);
  child.stdin.end(input);
  const text = { out: "", err: "" };
  child.stdout.on("data", (data) => (text.out += data));
  child.stderr.on("data", (data) => (text.err += data));
  return new Promise((resolve) => child.on("close", (status) => resolve({ status, ...text })));
}

/** The same command line within this process, with --json: what it printed, and the status it would end with. */
async function answer(args: readonly string[], status = 0): Promise<Record<string, unknown>> {
  const printed: unknown[] = [];
  const output = { json: (value: unknown) => printed.push(value), note: () => undefined } as never;
  const program = new Command();
  register(program, output);
  let ended: number = ExitCode.OK;
  try {
    await program.parseAsync(["pccs", ...args, "--json"], { from: "user" });
    ended = Number(process.exitCode ?? ExitCode.OK);
  } catch (error) {
    const failure = await describeFailure(error);
    printed.push({ error: failure });
    ended = failure.exitCode;
  } finally {
    process.exitCode = undefined;
  }
  assert.equal(ended, status, JSON.stringify(printed));
  assert.equal(printed.length, 1);
  return JSON.parse(JSON.stringify(printed[0])) as Record<string, unknown>;
}

async function refused(args: readonly string[], status: number, code: string, words: RegExp): Promise<void> {
  const { error } = (await answer(args, status)) as { error: { code: string; message: string } };
  assert.equal(error.code, code);
  assert.match(error.message, words);
}

const clock = { now: () => Date.now(), setTimeout: () => 0, clearTimeout: () => undefined };

before(async () => {
  writeFileSync(path("root.pem"), pki.rootPem);
  const { readPlatformCollateral, platformCollateralChanges } = await import("@confcom/collateral/platform-collateral");
  const document = fleet();
  writeFileSync(path("tool.json"), JSON.stringify(document));
  const store = await openSqliteStore({ directory: path("source"), clock });
  const terms = { trustedRoots: [pki.trustedRoot] };
  await store.write(await platformCollateralChanges(readPlatformCollateral(document), { terms }));
  await store.close();
  assert.equal((await pccs(["export", "--state", path("source"), "--out", FLEET])).status, 0);
});

function fleet() {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
  const platforms = Array.from({ length: PLATFORMS }, (_, n) =>
    pki.addPlatform({ ca: n === 0 ? "processor" : "platform" }),
  );
  const chain = encodeURIComponent(pki.tcbIssuerChain);
  const row = ({ qeId, pceId, encryptedPpid, platformManifest }: (typeof platforms)[number]) => {
    return { qe_id: qeId, pce_id: pceId, enc_ppid: encryptedPpid, platform_manifest: platformManifest };
  };
  return {
    platforms: platforms.map(row),
    collaterals: {
      version: 4,
      pck_certs: platforms.map((platform) => ({
        ...row(platform),
        certs: platform.certificates.certificates.map(({ tcbm, certificate }) => ({
          tcb: {},
          tcbm,
          cert: certificate,
        })),
      })),
      tcbinfos: [{ fmspc: platforms[0]?.fmspc, sgx_tcbinfo: JSON.parse(pki.tcbInfo().body) as unknown }],
      pckcacrl: { processorCrl: hex(pki.crl("processor")), platformCrl: hex(pki.crl("platform")) },
      qeidentity: pki.identity({ id: "QE" }).body,
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": {
          PROCESSOR: encodeURIComponent(pki.pckIssuerChain("processor")),
          PLATFORM: encodeURIComponent(pki.pckIssuerChain("platform")),
        },
        "TCB-Info-Issuer-Chain": chain,
        "SGX-Enclave-Identity-Issuer-Chain": chain,
      },
      rootcacrl_cdp: pki.rootCaCrlUrl,
      rootcacrl: hex(pki.crl("root")),
    },
  };
}

/** A service of the state directory, ready. */
async function service(state: string): Promise<ChildProcess> {
  const args = ["pccs", "--mode", "offline", "--http", "--listen", "127.0.0.1:0", "--state", state, "--json"];
  const child = spawn(process.execPath, [MAIN, ...args, "--upstream-root", path("root.pem")], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  children.push(child);
  await once(createInterface(child.stdout), "line");
  return child;
}

test("what is exported is imported elsewhere and exported again byte for byte", async () => {
  assert.equal(statSync(FLEET).mode & 0o777, 0o600);
  const imported = await answer(["import", FLEET, "--state", path("copy"), ...ROOT]);
  const { platforms, documents } = imported.imported as { platforms: number; documents: number };
  assert.deepEqual({ platforms, documents }, { platforms: PLATFORMS, documents: 2 });
  const exported = await answer(["export", "--state", path("copy"), "--out", path("again.json")]);
  const bytes = readFileSync(FLEET);
  assert.deepEqual(exported.exported, {
    platforms: PLATFORMS,
    certificates: PLATFORMS * pki.addPlatform().tcbs.length,
    bytes: bytes.length,
  });
  assert.deepEqual(readFileSync(path("again.json")), bytes);
});

test("a person reads what was done on standard output, and import takes standard input", async () => {
  const ran = await pccs(["import", "-", "--state", path("stdin"), ...ROOT], readFileSync(path("tool.json"), "utf8"));
  assert.deepEqual(ran, {
    status: 0,
    out: `imported ${PLATFORMS} platforms and 2 documents into sqlite ${path("stdin")}/pccs.db\n`,
    err: "",
  });
});

test("a wrong root, JSON that is none, a directory and what is not there: 65, and nothing is imported", async () => {
  const { trustedRoot: _, ...other } = new SoftwarePki({ name: "another" });
  writeFileSync(path("other.pem"), other.rootPem);
  writeFileSync(path("text.json"), "{");
  mkdirSync(path("directory"));
  const state = ["--state", path("untouched")];
  await refused(["import", FLEET, ...state, "--trusted-root", path("other.pem")], 65, "CLI_INPUT_MALFORMED", /refused/);
  await refused(["import", path("text.json"), "--state", path("u2"), ...ROOT], 65, "CLI_INPUT_MALFORMED", /not JSON/);
  await refused(["import", path("directory"), "--state", path("u3"), ...ROOT], 65, "CLI_INPUT_UNREADABLE", /directory/);
  await refused(["import", path("missing"), "--state", path("u4"), ...ROOT], 65, "CLI_INPUT_UNREADABLE", /ENOENT/);
  await refused(
    ["import", FLEET, "--state", path("u5"), "--trusted-root", path("missing")],
    78,
    "CLI_CONFIGURATION",
    /trusted-root/,
  );
  await refused(["import", FLEET], 64, "CLI_USAGE", /--state/);
  const { exported } = await answer(["export", ...state, "--out", path("empty.json")]);
  assert.equal((exported as { platforms: number }).platforms, 0);
});

test("export: a file that cannot be written, or a state directory without a database, leaves nothing behind", async () => {
  await refused(
    ["export", "--state", path("source"), "--out", path("no/where.json")],
    73,
    "CLI_OUTPUT_UNWRITABLE",
    /where/,
  );
  await refused(["export", "--state", path("nobody"), "--out", path("n.json")], 78, "SERVICE_CONFIGURATION", /nobody/);
  mkdirSync(path("a-directory"));
  await refused(
    ["export", "--state", path("source"), "--out", path("a-directory")],
    73,
    "CLI_OUTPUT_UNWRITABLE",
    /a-directory/,
  );
  assert.deepEqual(
    readdirSync(scratch).filter((name) => name.endsWith(".tmp") || name === "nobody" || name === "n.json"),
    [],
  );
});

test("beside a service that runs, backup and export work, import and restore are refused; then the backup is restored", async () => {
  const state = path("running");
  await answer(["import", FLEET, "--state", state, ...ROOT]);
  const running = await service(state);
  assert.deepEqual(await pccs(["backup", "--state", state, "--out", path("backup.db"), "--json"]), {
    status: 0,
    out: `${JSON.stringify({ backup: path("backup.db") }, null, 2)}\n`,
    err: "",
  });
  await answer(["export", "--state", state, "--out", path("beside.json")]);
  await refused(["import", FLEET, "--state", state, ...ROOT], 69, "STORE_BUSY", /running/);
  assert.deepEqual(readFileSync(path("beside.json")), readFileSync(FLEET));
  assert.equal(statSync(path("backup.db")).mode & 0o777, 0o600);
  await refused(["restore", path("backup.db"), "--state", state, "--replace"], 69, "STORE_BUSY", /running/);
  const exited = once(running, "exit");
  running.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);

  await refused(["backup", "--state", state, "--out", path("backup.db")], 73, "STORE_IO", /exists/);
  await refused(["restore", path("backup.db"), "--state", state], 73, "STORE_IO", /exists/);
  const { movedTo } = await answer(["restore", path("backup.db"), "--state", state, "--replace"]);
  assert.equal(movedTo, join(state, "pccs.db.replaced-1"));
  assert.ok(statSync(String(movedTo)).size > 0);
  const ran = await pccs(["restore", path("backup.db"), "--state", path("fresh")]);
  assert.deepEqual(ran, { status: 0, out: `restored ${path("fresh")}/pccs.db\n`, err: "" });
  await answer(["export", "--state", path("fresh"), "--out", path("fresh.json")]);
  assert.deepEqual(readFileSync(path("fresh.json")), readFileSync(FLEET));
});

test("a refusal is one JSON object on standard output, or lines on standard error", async () => {
  const args = ["backup", "--state", path("source"), "--out", path("root.pem")];
  const json = await pccs([...args, "--json"]);
  assert.deepEqual([json.status, (JSON.parse(json.out) as { error: { code: string } }).error.code], [73, "STORE_IO"]);
  const text = await pccs(args);
  assert.deepEqual([text.status, text.out], [73, ""]);
  assert.match(text.err, /^error STORE_IO: .*exists: a backup is a new file/);
  assert.equal(readFileSync(path("root.pem"), "utf8"), pki.rootPem);
});

test("what is no backup is not restored, and a damaged database not exported", async () => {
  writeFileSync(path("zero.db"), "");
  writeFileSync(path("text.db"), "no database".repeat(1000));
  const foreign = new Sqlite(path("foreign.db"));
  foreign.exec("CREATE TABLE other (id INTEGER)");
  foreign.close();
  const into = ["--state", path("never")];
  await refused(["restore", path("zero.db"), ...into], 78, "STORE_DAMAGED", /empty/);
  await refused(["restore", path("text.db"), ...into], 78, "STORE_DAMAGED", /not a database/);
  await refused(["restore", path("foreign.db"), ...into], 78, "STORE_VERSION", /another program/);
  await refused(["restore", path("missing.db"), ...into], 73, "STORE_IO", /missing/);
  await refused(["restore", scratch, ...into], 73, "STORE_IO", /confcom-store-commands/);
  assert.throws(() => statSync(path("never")), { code: "ENOENT" });
  mkdirSync(path("cut"), { mode: 0o700 });
  writeFileSync(path("cut/pccs.db"), "");
  await refused(["export", "--state", path("cut"), "--out", path("cut.json")], 78, "STORE_DAMAGED", /empty/);
  await refused(["import", FLEET, "--state", path("cut"), ...ROOT], 78, "STORE_DAMAGED", /empty/);
  assert.equal(statSync(path("cut/pccs.db")).size, 0);
});

/** A database as Intel's PCCS has it, with its root, a signer and one identity (constructed). */
function intelDatabase(name: string, identity: string): string {
  const database = new Sqlite(path(name));
  database.exec(
    `CREATE TABLE pcs_certificates (id INTEGER PRIMARY KEY, cert BLOB, crl BLOB);
     CREATE TABLE pck_cert (qe_id VARCHAR(255), pce_id VARCHAR(255), tcbm VARCHAR(255), pck_cert BLOB);
     CREATE TABLE enclave_identities (id INTEGER, version INTEGER, update_type VARCHAR(255), identity BLOB)`,
  );
  const [signer, root] = pki.tcbIssuerChain.split(/(?=-----BEGIN)/).map(encodeURIComponent);
  const certificate = database.prepare("INSERT INTO pcs_certificates VALUES (?, ?, ?)");
  certificate.run(1, root, Buffer.from(pki.crl("root")));
  certificate.run(3, signer, null);
  database.prepare("INSERT INTO enclave_identities VALUES (1, 4, 'STANDARD', ?)").run(Buffer.from(identity));
  database.close();
  return path(name);
}

test("migrate takes over Intel's database: 0 with all of it, 1 when a part is refused, 78 when it is none", async () => {
  const good = intelDatabase("pckcache.db", pki.identity({ id: "QE" }).body);
  const ran = await pccs(["migrate", good, "--state", path("migrated"), ...ROOT]);
  assert.deepEqual(ran, { status: 0, out: "taken    1 root CA CRL\ntaken    1 identities\n", err: "" });
  const wrong = intelDatabase("wrong.db", pki.identity({ id: "QE" }).body.replace("17", "19"));
  const report = await answer(["migrate", wrong, "--state", path("partly"), ...ROOT], 1);
  assert.deepEqual(
    { taken: report.taken, refusedCount: report.refusedCount },
    {
      taken: { "root CA CRL": 1 },
      refusedCount: 1,
    },
  );
  assert.match(JSON.stringify(report.refused), /the identity QE/);
  await refused(["migrate", FLEET, "--state", path("m1"), ...ROOT], 78, "STORE_DAMAGED", /not a database/);
  assert.ok(!existsSync(path("m1")));
  await refused(["migrate", path("source/pccs.db"), "--state", path("m2"), ...ROOT], 78, "STORE_VERSION", /Intel/);
  await refused(["migrate", path("missing.db"), "--state", path("m3"), ...ROOT], 73, "STORE_IO", /missing/);
});

test("progress is a line on standard error for every so many platforms", async () => {
  const { progressLines } = await import("./progress.ts");
  const notes: string[] = [];
  const progress = progressLines({ note: (line: string) => notes.push(line) } as never, "platforms checked", 10);
  for (let done = 1; done <= PLATFORMS; done++) progress(done, PLATFORMS);
  assert.deepEqual(notes, ["10 of 30 platforms checked", "20 of 30 platforms checked", "30 of 30 platforms checked"]);
});

test("a state directory that others may enter is closed to them, with a warning on standard error", async () => {
  mkdirSync(path("open"), { mode: 0o755 });
  const ran = await pccs(["import", FLEET, "--state", path("open"), ...ROOT]);
  assert.equal(ran.status, 0);
  assert.equal(ran.err, `${path("open")} had mode 755; changed to 700\n`);
});
