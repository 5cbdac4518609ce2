import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { CollateralStore } from "@confcom/collateral/store";
import { type PostgresServer, startPostgres, withClient } from "@confcom/collateral/store/postgres/testing";
import { runOrThrow } from "../program.ts";
import { eventually } from "./eventually.ts";
import { openStore } from "./open-store.ts";
import { chain, rawTcb, registration, wholePlatform } from "./rows.ts";

/** What docs/pccs.md tells whoever runs the database. */

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});
after(() => server.close());

/** Everything but leases, of every table, in the order of the keys. */
async function content(url: string): Promise<string> {
  return withClient(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables
       WHERE table_schema = 'confcom' AND table_name <> 'lease' ORDER BY 1`,
    );
    const all: unknown[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query(`SELECT t::text AS row FROM confcom.${name} t ORDER BY 1`);
      all.push(name, ...rows);
    }
    return JSON.stringify(all);
  });
}

test("a dump taken while replicas write is consistent, and restores over what was there", async () => {
  const url = await server.createDatabase();
  const directory = await mkdtemp(join(tmpdir(), "confcom-pg-dump-"));
  const file = join(directory, "confcom.sql");
  const replicas = [await openStore(url), await openStore(url)];
  const [one, other] = replicas as [CollateralStore, CollateralStore];
  let acknowledged = 0;
  let ended = false;
  try {
    await one.write([chain, ...wholePlatform(0), { put: "registration", registration: registration(0) }]);
    await one.leases.acquire("held", 60_000);
    const lanes = [one, other].map(async (store, lane) => {
      for (let n = 1; !ended; n++) {
        await store.write(wholePlatform(lane * 100_000 + n));
        acknowledged++;
      }
    });
    await eventually("there is load", () => acknowledged > 50);
    const before = acknowledged;
    await runOrThrow(join(server.programs, "pg_dump"), [
      "--schema=confcom",
      "--exclude-table-data=confcom.lease",
      `--file=${file}`,
      url,
    ]);
    ended = true;
    await Promise.all(lanes);
    for (const store of replicas) await store.close();
    assert.ok(!(await readFile(file, "utf8")).includes("=held"));

    const restore = async () => {
      await withClient(url, (client) => client.query("DROP SCHEMA IF EXISTS confcom CASCADE"));
      const options = ["--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-f", file, url];
      await runOrThrow(join(server.programs, "psql"), options);
    };
    await restore();
    const once = await content(url);
    await restore();
    assert.equal(await content(url), once);

    const restored = await openStore(url);
    try {
      const { platforms, certificates } = await restored.counts();
      assert.ok(platforms > before, `${platforms} platforms of ${before} acknowledged before the dump`);
      // One transaction wrote a platform, its certificate and its TCB: none is there without the others.
      assert.equal(certificates, platforms);
      for (const platform of await restored.platforms(undefined, undefined, 10_000)) {
        assert.equal((await restored.rawTcbs(platform)).length, 1);
      }
      assert.notEqual(await restored.pckAnswer(rawTcb(0)), undefined);
      assert.deepEqual(await restored.takeRegistrations(["new"]), [registration(0)]);
      assert.equal(await restored.leases.acquire("held", 1_000), true);
    } finally {
      await restored.close();
    }
  } finally {
    ended = true;
    for (const store of replicas) await store.close();
    await rm(directory, { recursive: true, force: true });
  }
});

test("once the schema is there, a role that may only read and write its rows is enough", async () => {
  const url = await server.createDatabase();
  await (await openStore(url)).close();
  await withClient(url, (client) =>
    client.query(`CREATE ROLE replica LOGIN PASSWORD 'replica';
      GRANT USAGE ON SCHEMA confcom TO replica;
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA confcom TO replica`),
  );
  const limited = url.replace(/\/\/[^@]*@/, "//replica:replica@");
  const store = await openStore(limited);
  try {
    await store.write([chain, ...wholePlatform(1), { put: "registration", registration: registration(1) }]);
    assert.notEqual(await store.pckAnswer(rawTcb(1)), undefined);
    assert.equal((await store.takeRegistrations(["new"])).length, 1);
    assert.equal(await store.leases.acquire("key", 1_000), true);
    await store.leases.release("key");
    await store.ping();
  } finally {
    await store.close();
  }
  const empty = await server.createDatabase();
  const unprepared = empty.replace(/\/\/[^@]*@/, "//replica:replica@");
  await assert.rejects(openStore(unprepared), /permission denied/);
});

test("one replica holds nine connections at most", async () => {
  const url = await server.createDatabase();
  const store = await openStore(url);
  try {
    await store.write([chain, ...wholePlatform(1)]);
    await Promise.all(Array.from({ length: 200 }, () => store.pckAnswer(rawTcb(1))));
    const count = await withClient(url, async (client) => {
      const { rows } = await client.query<{ n: number }>(
        `SELECT count(*)::integer AS n FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'confcom pccs'`,
      );
      return rows[0]?.n ?? 0;
    });
    assert.ok(count > 1 && count <= 9, `${count} connections`);
  } finally {
    await store.close();
  }
});
