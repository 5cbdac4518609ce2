import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import Sqlite, { type Database } from "better-sqlite3";
import { MemoryStore } from "../service/testing/memory-store.ts";
import { SoftwarePki, tcbHex } from "../testing/index.ts";
import { migrateIntelDatabase } from "./index.ts";

const scratch = mkdtempSync(join(tmpdir(), "confcom-intel-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

const pki = new SoftwarePki();
const terms = { trustedRoots: [pki.trustedRoot] };
const platforms = [pki.addPlatform(), pki.addPlatform({ ca: "processor" })];
const TIMES = ["created_time", "updated_time"] as const;

/** Tables and keys of Intel's schema version 5 (spec: DCAP §12). */
const SCHEMA: Readonly<Record<string, readonly [columns: string, key: string]>> = {
  fmspc_tcbs: [
    "fmspc VARCHAR(255), type INTEGER, version INTEGER, update_type VARCHAR(255), tcbinfo BLOB, root_cert_id INTEGER, signing_cert_id INTEGER",
    "fmspc, type, version, update_type",
  ],
  pck_cert: ["qe_id VARCHAR(255), pce_id VARCHAR(255), tcbm VARCHAR(255), pck_cert BLOB", "qe_id, pce_id, tcbm"],
  pck_certchain: ["ca VARCHAR(255), root_cert_id INTEGER, intmd_cert_id INTEGER", "ca"],
  pck_crl: ["ca VARCHAR(255), pck_crl BLOB, root_cert_id INTEGER, intmd_cert_id INTEGER", "ca"],
  pcs_certificates: ["id INTEGER, cert BLOB, crl BLOB", "id"],
  pcs_version: ["id INTEGER, api_version INTEGER, server_addr VARCHAR(255), db_version INTEGER", "id"],
  platform_tcbs: [
    "qe_id VARCHAR(255), pce_id VARCHAR(255), cpu_svn VARCHAR(255), pce_svn VARCHAR(255), tcbm VARCHAR(255)",
    "qe_id, pce_id, cpu_svn, pce_svn",
  ],
  platforms: [
    "qe_id VARCHAR(255), pce_id VARCHAR(255), platform_manifest BLOB, enc_ppid BLOB, fmspc VARCHAR(255), ca VARCHAR(255)",
    "qe_id, pce_id",
  ],
  platforms_registered: [
    "qe_id VARCHAR(255), pce_id VARCHAR(255), cpu_svn VARCHAR(255), pce_svn VARCHAR(255), enc_ppid BLOB, platform_manifest BLOB, state INTEGER",
    "qe_id, pce_id, cpu_svn, pce_svn",
  ],
  enclave_identities: [
    "id INTEGER, version INTEGER, update_type VARCHAR(255), identity BLOB, root_cert_id INTEGER, signing_cert_id INTEGER",
    "id, version, update_type",
  ],
  crl_cache: ["cdp_url VARCHAR(255), crl BLOB", "cdp_url"],
  appraisal_policies: ["id VARCHAR(255), type INTEGER, policy TEXT, is_default INTEGER, fmspc VARCHAR(255)", "id"],
};

function insert(database: Database, table: string, row: Readonly<Record<string, unknown>>): void {
  const names = [...Object.keys(row), ...TIMES];
  database
    .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`)
    .run(...Object.values(row), "2026-01-01", "2026-01-01");
}

/** Leaf-first parts of a chain, URL-encoded as Intel's code keeps them. */
function certificates(chain: string): string[] {
  return chain.split(/(?=-----BEGIN)/).map(encodeURIComponent);
}

let next = 0;
function intelDatabase(change: (database: Database) => void = () => undefined): string {
  const path = join(scratch, `${next++}.db`);
  const database = new Sqlite(path);
  for (const [table, [columns, key]] of Object.entries(SCHEMA)) {
    const times = TIMES.map((name) => `${name} DATETIME NOT NULL`).join(", ");
    database.exec(`CREATE TABLE ${table} (${columns}, ${times}, PRIMARY KEY (${key}))`);
  }
  const [processor, root] = certificates(pki.pckIssuerChain("processor"));
  const [platformCa] = certificates(pki.pckIssuerChain("platform"));
  const [signer] = certificates(pki.tcbIssuerChain);
  insert(database, "pcs_certificates", { id: 1, cert: root, crl: Buffer.from(pki.crl("root")) });
  insert(database, "pcs_certificates", { id: 2, cert: processor, crl: null });
  insert(database, "pcs_certificates", { id: 3, cert: signer, crl: null });
  insert(database, "pcs_certificates", { id: 4, cert: platformCa, crl: null });
  for (const ca of ["processor", "platform"] as const) {
    insert(database, "pck_crl", { ca: ca.toUpperCase(), pck_crl: Buffer.from(pki.crl(ca)) });
  }
  const { fmspc } = platforms[0] as (typeof platforms)[number];
  const info = (tee: "sgx" | "tdx", update: "standard" | "early") => Buffer.from(pki.tcbInfo({ tee, update }).body);
  insert(database, "fmspc_tcbs", {
    fmspc,
    type: 0,
    version: 4,
    update_type: "STANDARD",
    tcbinfo: info("sgx", "standard"),
  });
  insert(database, "fmspc_tcbs", { fmspc, type: 0, version: 4, update_type: "EARLY", tcbinfo: info("sgx", "early") });
  insert(database, "fmspc_tcbs", {
    fmspc,
    type: 1,
    version: 4,
    update_type: "STANDARD",
    tcbinfo: info("tdx", "standard"),
  });
  for (const [id, name] of [
    [1, "QE"],
    [2, "QVE"],
    [3, "TD_QE"],
  ] as const) {
    const identity = pki.identity({ id: name }).body;
    insert(database, "enclave_identities", { id, version: 4, update_type: "STANDARD", identity });
  }
  insert(database, "crl_cache", { cdp_url: pki.rootCaCrlUrl, crl: Buffer.from(pki.crl("root")) });
  for (const [index, platform] of platforms.entries()) {
    const { qeId: qe_id, pceId: pce_id, encryptedPpid, ca } = platform;
    // Bytes or text: Intel's code has written both.
    const enc_ppid = index === 0 ? Buffer.from(encryptedPpid, "hex") : encryptedPpid;
    insert(database, "platforms", { qe_id, pce_id, platform_manifest: "", enc_ppid, fmspc, ca: ca.toUpperCase() });
    for (const { tcbm, certificate } of platform.certificates.certificates) {
      insert(database, "pck_cert", { qe_id, pce_id, tcbm, pck_cert: certificate });
    }
    const { cpuSvn: cpu_svn, pceSvn: pce_svn } = tcbHex(platform.tcbs[0] as never);
    const tcbm = platform.certificates.certificates[0]?.tcbm;
    insert(database, "platform_tcbs", { qe_id, pce_id, cpu_svn, pce_svn, tcbm });
    insert(database, "platforms_registered", {
      qe_id,
      pce_id,
      cpu_svn,
      pce_svn,
      enc_ppid,
      platform_manifest: "",
      state: 9,
    });
  }
  change(database);
  database.close();
  return path;
}

async function migrated(path: string) {
  const store = new MemoryStore(pki.clock);
  const report = await migrateIntelDatabase(path, { terms, write: (changes) => store.write(changes) });
  return { store, report };
}

test("everything of a sound database is taken over, and the file only read", async () => {
  const path = intelDatabase();
  const before = readFileSync(path);
  const { store, report } = await migrated(path);
  assert.deepEqual(report.refused, []);
  assert.equal(report.taken.platforms, 2);
  for (const platform of platforms) {
    const { qeId, pceId, fmspc, ca, encryptedPpid } = platform;
    const tcb = tcbHex(platform.tcbs[0] as never);
    const answer = await store.pckAnswer({ qeId, pceId, ...tcb });
    assert.deepEqual(answer && { fmspc: answer.fmspc, ca: answer.ca }, { fmspc, ca });
    assert.equal((await store.platform({ qeId, pceId }))?.encryptedPpid, encryptedPpid);
  }
  assert.equal((await store.tcbInfoKeys()).length, 3);
  assert.equal((await store.identityKeys()).length, 3);
  assert.equal((await store.registrations(["deleted"], 10)).length, 2);
  assert.deepEqual(readFileSync(path), before);
});

test("a platform manifest stays as it was posted, so that the platform is still known when it posts it again", async () => {
  const manifest = "0a1bCD";
  const path = intelDatabase((database) => {
    database.prepare("UPDATE platforms SET platform_manifest = ?").run(Buffer.from(manifest));
    database.prepare("UPDATE platforms_registered SET platform_manifest = ?").run(manifest);
  });
  const { store } = await migrated(path);
  for (const platform of platforms) assert.equal((await store.platform(platform))?.platformManifest, manifest);
  for (const { platformManifest } of await store.registrations(["deleted"], 10))
    assert.equal(platformManifest, manifest);
});

const CHANGES: readonly (readonly [string, string, RegExp])[] = [
  [
    "TCB info that was changed",
    "UPDATE fmspc_tcbs SET tcbinfo = replace(tcbinfo, '17', '19') WHERE type = 1",
    /tdx TCB info/,
  ],
  [
    "a CRL of the other CA",
    "UPDATE pck_crl SET pck_crl = (SELECT pck_crl FROM pck_crl WHERE ca = 'PLATFORM')",
    /PCK CRL of processor/,
  ],
  [
    "a certificate under another TCBm",
    "UPDATE pck_cert SET tcbm = '00' || substr(tcbm, 3) WHERE rowid = 1",
    /^platform /,
  ],
  ["an identity under another id", "UPDATE enclave_identities SET id = 7 WHERE id = 2", /identity 7/],
  [
    "a raw TCB below its certificate",
    "UPDATE platform_tcbs SET cpu_svn = '00000000000000000000000000000000' WHERE rowid = 1",
    /^raw TCB/,
  ],
  ["a registration in no state", "UPDATE platforms_registered SET state = 5 WHERE rowid = 1", /^the registration/],
];

for (const [what, sql, refused] of CHANGES) {
  test(`${what} is left out and reported, and the rest is taken`, async () => {
    const { report } = await migrated(intelDatabase((database) => database.exec(sql)));
    assert.equal(report.refusedCount, 1, JSON.stringify(report.refused));
    assert.match(report.refused[0]?.what ?? "", refused);
  });
}

test("nothing under another root is taken", async () => {
  const path = intelDatabase();
  const store = new MemoryStore(pki.clock);
  const other = [new SoftwarePki({ name: "another" }).trustedRoot];
  await migrateIntelDatabase(path, { terms: { trustedRoots: other }, write: (changes) => store.write(changes) });
  assert.deepEqual(await store.counts(), { platforms: 0, certificates: 0 });
  assert.deepEqual(
    [await store.rootCaCrl(), await store.tcbInfoKeys(), await store.identityKeys()],
    [undefined, [], []],
  );
});

test("a database of somebody else and a file that is none are refused", async () => {
  const other = join(scratch, "other.db");
  new Sqlite(other).exec("CREATE TABLE a (b)").close();
  await assert.rejects(migrated(other), { code: "STORE_VERSION" });
  const text = join(scratch, "text.db");
  writeFileSync(text, "no database at all\n".repeat(500));
  await assert.rejects(migrated(text), { code: "STORE_DAMAGED" });
});

test("schema version 1: identities in tables of their own, TCB info without type and version, CRLs as hexadecimal text", async () => {
  const path = intelDatabase((database) => {
    database.exec(
      `DROP TABLE enclave_identities; DROP TABLE crl_cache; DROP TABLE appraisal_policies;
       DELETE FROM fmspc_tcbs;
       ALTER TABLE fmspc_tcbs RENAME TO former;
       CREATE TABLE fmspc_tcbs (fmspc VARCHAR(255) PRIMARY KEY, tcbinfo BLOB);
       DROP TABLE former;
       CREATE TABLE qe_identities (id INTEGER PRIMARY KEY, qe_identity BLOB);
       CREATE TABLE qve_identities (id INTEGER PRIMARY KEY, qve_identity BLOB)`,
    );
    const body = pki.tcbInfo({ version: 3 }).body;
    database.prepare("INSERT INTO fmspc_tcbs VALUES (?, ?)").run(platforms[0]?.fmspc, Buffer.from(body));
    database.prepare("INSERT INTO qe_identities VALUES (1, ?)").run(Buffer.from(pki.identity({ id: "QE" }).body));
    database.prepare("INSERT INTO qve_identities VALUES (1, ?)").run(pki.identity({ id: "QVE" }).body);
    const text = Buffer.from(Buffer.from(pki.crl("platform")).toString("hex"));
    database.prepare("UPDATE pck_crl SET pck_crl = ? WHERE ca = 'PLATFORM'").run(text);
  });
  const { store, report } = await migrated(path);
  assert.deepEqual(report.refused, []);
  assert.deepEqual((await store.identityKeys()).map(({ id, version, update }) => `${id} ${version} ${update}`).sort(), [
    "QE 3 standard",
    "QVE 3 standard",
  ]);
  assert.deepEqual(await store.tcbInfoKeys(), [
    { tee: "sgx", fmspc: platforms[0]?.fmspc, version: 3, update: "standard" },
  ]);
  assert.deepEqual((await store.pckCrl("platform"))?.crl, pki.crl("platform"));
});
