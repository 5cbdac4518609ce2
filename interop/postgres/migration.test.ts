import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { CollateralError } from "@confcom/collateral";
import { MIGRATIONS, type Migration } from "@confcom/collateral/store/postgres";
import { type PostgresServer, startPostgres } from "@confcom/collateral/store/postgres/testing";
import { eventually } from "./eventually.ts";
import { openStore } from "./open-store.ts";
import { chain, rawTcb, wholePlatform } from "./rows.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});
after(() => server.close());

/** Made up: it adds a column that old replicas do not know. */
const EXPAND: Migration = {
  version: 2,
  minReader: 1,
  minWriter: 1,
  statements: ["ALTER TABLE confcom.platform ADD COLUMN seen bigint NOT NULL DEFAULT 0"],
};
/** Made up: whoever writes must fill it. */
const CONTRACT: Migration = {
  version: 3,
  minReader: 1,
  minWriter: 2,
  statements: ["ALTER TABLE confcom.platform ALTER COLUMN seen DROP DEFAULT"],
};

const isVersion = (error: CollateralError) => error.code === "STORE_VERSION";

test("a new replica migrates while an old one reads and writes: nothing fails until a step excludes the old", async () => {
  const url = await server.createDatabase();
  const old = await openStore(url);
  try {
    await old.write([chain, ...wholePlatform(0)]);
    let done = 0;
    let ended = false;
    const lanes = Array.from({ length: 4 }, async (_, lane) => {
      for (let n = 1; !ended; n++) {
        await old.write(wholePlatform(lane * 100_000 + n));
        assert.notEqual(await old.pckAnswer(rawTcb(0)), undefined);
        done++;
      }
    });
    await eventually("there is load", () => done > 20);
    const next = await openStore(url, { migrations: [...MIGRATIONS, EXPAND] });
    const migrated = done;
    await eventually("the old one goes on", () => done > migrated + 50);
    ended = true;
    await Promise.all(lanes);
    await next.write(wholePlatform(7));
    assert.notEqual(await old.pckAnswer(rawTcb(7)), undefined);
    await next.close();

    await (await openStore(url, { migrations: [...MIGRATIONS, EXPAND, CONTRACT] })).close();
    await assert.rejects(old.write(wholePlatform(8)), isVersion);
    await assert.rejects(openStore(url), isVersion);
    // A program one step behind still may.
    await (await openStore(url, { migrations: [...MIGRATIONS, EXPAND] })).close();
  } finally {
    await old.close();
  }
});

test("a step that fails leaves the schema as it was", async () => {
  const url = await server.createDatabase();
  const old = await openStore(url);
  try {
    const broken: Migration = { ...EXPAND, statements: [...EXPAND.statements, "SELECT 1 / 0"] };
    await assert.rejects(openStore(url, { migrations: [...MIGRATIONS, broken] }), /division by zero/);
    await old.write(wholePlatform(1));
    await (await openStore(url, { migrations: [...MIGRATIONS, EXPAND] })).close();
  } finally {
    await old.close();
  }
});
