import { Client, type ClientConfig } from "pg";
import { CollateralError } from "../../errors.ts";
import type { CollateralStore } from "../store.ts";
import { backoffMs } from "./backoff.ts";
import { clientConfig } from "./client-config.ts";
import { type Queries, queriesOf } from "./connections.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { codeOf, isConnectionLoss, storeFailure } from "./failures.ts";
import { MIGRATIONS, type Migration } from "./migrations.ts";
import { PostgresStore, type PostgresStoreOptions } from "./postgres-store.ts";
import { checkVersion, migrate, programVersion, readVersion } from "./schema-version.ts";

const MIN_SERVER = 130_000;
const MIGRATION_TRIES = 20;

/**
 * Opens the database of several replicas and migrates its schema, `confcom`, if it is older than this program's. Needs a
 * server of version 13 or later and connections of its own: a pooler that shares them between transactions cannot listen.
 * Fails with SERVICE_CONFIGURATION (URL), STORE_UNREACHABLE, STORE_VERSION, STORE_BUSY or STORE_IO.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<CollateralStore> {
  const { connectTimeoutMs = 5_000, password, readTextFile, migrations = MIGRATIONS } = options;
  if (options.owner.length < 1 || options.owner.length > 200) {
    throw new CollateralError("SERVICE_CONFIGURATION", "the replica's name has not 1 to 200 characters");
  }
  const url = parseDatabaseUrl(options.url);
  const config = await clientConfig(url, { connectTimeoutMs, password, readTextFile });
  const instance = await prepareDatabase(config, url.name, migrations, options);
  const store = new PostgresStore(url.name, instance, config, { ...options, connectTimeoutMs, migrations });
  try {
    await store.start();
  } catch (error) {
    await store.close();
    throw error;
  }
  return store;
}

/** The schema as this program needs it; a name for this process that no other has. */
async function prepareDatabase(
  config: ClientConfig,
  name: string,
  migrations: readonly Migration[],
  { clock, random, connectTimeoutMs = 5_000 }: PostgresStoreOptions,
): Promise<string> {
  const deadline = clock.now() + connectTimeoutMs;
  for (let attempt = 1; ; attempt++) {
    const client = new Client(config);
    client.on("error", () => undefined);
    try {
      await client.connect();
      const queries = queriesOf(client);
      await checkServer(queries, name);
      // Short, and tried again: whoever waits for the lock of a migration keeps writers waiting behind.
      await queries.query("SET lock_timeout = '1s'");
      const found = await readVersion(queries);
      if ((found?.version ?? 0) < programVersion(migrations)) await migrate(queries, migrations);
      checkVersion(await readVersion(queries), programVersion(migrations), name);
      const [row] = await queries.query<{ instance: string }>("SELECT gen_random_uuid()::text AS instance");
      return row?.instance ?? "";
    } catch (error) {
      const later = isConnectionLoss(error)
        ? clock.now() < deadline
        : isLockTimeout(error) && attempt < MIGRATION_TRIES;
      if (!later) throw storeFailure(name, "open", error);
    } finally {
      await client.end().catch(() => undefined);
    }
    await new Promise<void>((resolve) => clock.setTimeout(resolve, backoffMs(attempt, random)));
  }
}

function isLockTimeout(error: unknown): boolean {
  return ["55P03", "40P01"].includes(codeOf(error) ?? "");
}

async function checkServer(queries: Queries, name: string): Promise<void> {
  const [server] = await queries.query<{ number: number; text: string }>(
    "SELECT current_setting('server_version_num')::integer AS number, current_setting('server_version') AS text",
  );
  if (server === undefined || server.number < MIN_SERVER) {
    throw new CollateralError("STORE_VERSION", `${name}: the server is PostgreSQL ${server?.text}; 13 is the oldest`);
  }
}
