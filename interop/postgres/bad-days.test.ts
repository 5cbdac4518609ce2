import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { CollateralError } from "@confcom/collateral";
import { type PostgresServer, startPostgres, withClient } from "@confcom/collateral/store/postgres/testing";
import { cuttingProxy } from "./cutting-proxy.ts";
import { eventually } from "./eventually.ts";
import { openStore } from "./open-store.ts";
import { chain, rawTcb, registration, wholePlatform } from "./rows.ts";

let server: PostgresServer;

before(async () => {
  server = await startPostgres();
});
after(() => server.close());

const codeOf = (error: unknown) => (error as CollateralError).code;

test("the server crashes and restarts under load, twice: nothing acknowledged is lost, everything goes on by itself", async () => {
  const url = await server.createDatabase();
  // A default that would lose what was acknowledged.
  await withClient(url, (client) => client.query("ALTER DATABASE test_1 SET synchronous_commit = off"));
  // However long a busy machine takes to restart it.
  const store = await openStore(url, { connectTimeoutMs: 30_000 });
  const other = await openStore(url, { connectTimeoutMs: 30_000 });
  try {
    let anything = 0;
    other.onChange((changes) => {
      if (changes === undefined) anything++;
    });
    await store.write([chain]);
    const acknowledged: number[] = [];
    const failures = new Set<string>();
    let next = 0;
    let ended = false;
    const lanes = Array.from({ length: 6 }, async () => {
      while (!ended) {
        const n = next++;
        try {
          await store.write(wholePlatform(n));
          acknowledged.push(n);
        } catch (error) {
          failures.add(codeOf(error));
        }
      }
    });
    const readFailures: unknown[] = [];
    const reader = (async () => {
      while (!ended) await Promise.resolve(other.pckAnswer(rawTcb(0))).catch((error) => readFailures.push(error));
    })();
    for (const count of [100, 200]) {
      await eventually("there is load", () => acknowledged.length >= count);
      await server.restart();
    }
    const before = acknowledged.length;
    await eventually("writes go on", () => acknowledged.length >= before + 50);
    ended = true;
    await Promise.all([...lanes, reader]);
    assert.ok(
      [...failures].every((code) => code === "STORE_UNREACHABLE"),
      [...failures].join(),
    );
    // Reads change nothing, so they wait for the server and are asked again.
    assert.deepEqual(readFailures, []);
    for (const n of acknowledged) assert.notEqual(await other.pckAnswer(rawTcb(n)), undefined, `platform ${n}`);
    await eventually("the other replica was told that it may have missed something", () => anything >= 1);
    const heard: unknown[] = [];
    other.onChange((changes) => heard.push(changes));
    await eventually("it hears of changes again", async () => {
      await store.write(wholePlatform(1));
      return heard.some((changes) => changes !== undefined);
    });
  } finally {
    await store.close();
    await other.close();
  }
});

test("the server is gone: STORE_UNREACHABLE within the time for a connection, and ready when it is back", async () => {
  const url = await server.createDatabase();
  const store = await openStore(url, { connectTimeoutMs: 300 });
  try {
    await server.stop("fast");
    for (const attempt of [
      () => store.write(wholePlatform(1)),
      () => store.ping(),
      () => store.leases.acquire("k", 99),
    ]) {
      await assert.rejects(attempt, (error) => codeOf(error) === "STORE_UNREACHABLE");
    }
    await assert.rejects(openStore(url, { connectTimeoutMs: 100 }), (error) => codeOf(error) === "STORE_UNREACHABLE");
    await server.start();
    await eventually("it is ready", () =>
      store.ping().then(
        () => true,
        () => false,
      ),
    );
    await store.write(wholePlatform(1));
  } finally {
    await store.close();
  }
});

test("a replica keeps its leases while it lives; killed, it loses them in seconds, however long it asked for them", async () => {
  const url = await server.createDatabase();
  const replica = spawn(process.execPath, [fileURLToPath(new URL("lease-holder.ts", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const store = await openStore(url);
  try {
    replica.stdin.end(url);
    const [said] = (await once(replica.stdout, "data")) as [Buffer];
    assert.equal(said.toString().trim(), "held");
    // Longer than a row's time is without its owner.
    await sleep(8_000);
    for (let n = 0; n < 20; n++) assert.equal(await store.leases.acquire(`key ${n}`, 60_000), false);
    const exit = once(replica, "exit");
    replica.kill("SIGKILL");
    await exit;
    for (let n = 0; n < 20; n++) {
      let tries = 0;
      while (!(await store.leases.acquire(`key ${n}`, 60_000))) {
        assert.ok(tries++ < 20, "taken over");
        await store.leases.released(`key ${n}`, 10_000, new AbortController().signal);
      }
    }
  } finally {
    replica.kill("SIGKILL");
    await store.close();
  }
});

test("registrations are handed over once and never lost, where the connection ends around the COMMIT that marks them", async () => {
  const direct = await server.createDatabase();
  const proxy = await cuttingProxy(direct);
  const store = await openStore(proxy.url);
  try {
    const put = (n: number) => store.write([{ put: "registration", registration: registration(n) }]);
    await put(1);
    proxy.cutNextCommit("after");
    assert.deepEqual(await store.takeRegistrations(["new"]), [registration(1)]);
    assert.deepEqual(await store.takeRegistrations(["new"]), []);
    await put(2);
    proxy.cutNextCommit("before");
    await assert.rejects(store.takeRegistrations(["new"]), (error) => codeOf(error) === "STORE_UNREACHABLE");
    assert.deepEqual(await store.takeRegistrations(["new"]), [registration(2)]);
  } finally {
    await store.close();
    await proxy.close();
  }
});

test("a refused password is said without the password", async () => {
  const url = await server.createDatabase();
  const wrong = url.replace(/:[0-9a-f]{32}@/, ":hunter2hunter2@");
  assert.notEqual(wrong, url);
  await assert.rejects(openStore(wrong), (error: CollateralError) => {
    assert.equal(error.code, "STORE_UNREACHABLE");
    assert.match(error.message, /password authentication failed/);
    assert.ok(!`${error.message}${error.stack}${JSON.stringify(error.cause)}`.includes("hunter2"));
    return true;
  });
  const right = /:([0-9a-f]{32})@/.exec(url)?.[1] as string;
  await (await openStore(wrong, { password: async () => right })).close();
});

test("a database that is read-only is not ready", async () => {
  const url = await server.createDatabase();
  const store = await openStore(url);
  await store.ping();
  await withClient(url, (client) =>
    client.query(`ALTER DATABASE ${url.match(/test_\d+/)?.[0]} SET default_transaction_read_only = on`),
  );
  await store.close();
  const later = await openStore(url);
  try {
    await assert.rejects(later.ping(), (error) => codeOf(error) === "STORE_IO");
    await assert.rejects(later.write(wholePlatform(1)), (error) => codeOf(error) === "STORE_IO");
  } finally {
    await later.close();
  }
});

test("a copy is pg_dump's work", async () => {
  const store = await openStore(await server.createDatabase());
  try {
    await assert.rejects(store.backup("/tmp/x"), /pg_dump/);
  } finally {
    await store.close();
  }
});
