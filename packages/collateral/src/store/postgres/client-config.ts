import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import type { ClientConfig } from "pg";
import { CollateralError } from "../../errors.ts";
import type { DatabaseTls, DatabaseUrl } from "./database-url.ts";

/** Milliseconds: of one statement, of a wait for a row or table, of a transaction that nobody goes on with. */
const STATEMENT_TIMEOUT_MS = 10_000;
const LOCK_TIMEOUT_MS = 5_000;
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 10_000;
/** Beyond the statement's timeout the server is taken for gone. */
const SILENCE_MS = 3_000;
const KEEP_ALIVE_MS = 10_000;

export interface ConfigOptions {
  readonly connectTimeoutMs: number;
  /** Read anew for every connection; over the URL's. */
  readonly password: (() => Promise<string>) | undefined;
  /** Reads a PEM file that the URL names. */
  readonly readTextFile: (path: string) => Promise<string>;
}

/** Everything is said, since the driver takes what is not from the environment. */
export async function clientConfig(url: DatabaseUrl, options: ConfigOptions): Promise<ClientConfig> {
  const { password = () => Promise.resolve(url.password ?? "") } = options;
  return {
    host: url.host,
    port: url.port,
    user: url.user,
    password,
    database: url.database,
    ssl: url.tls === undefined ? false : await tlsOptions(url.tls, url.host, options.readTextFile),
    sslnegotiation: "postgres",
    application_name: "confcom pccs",
    client_encoding: "UTF8",
    options: "-c timezone=UTC -c default_transaction_isolation=read\\ committed",
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + SILENCE_MS,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
  };
}

async function tlsOptions(
  { mode, rootCertificates, certificate, key }: DatabaseTls,
  host: string,
  readTextFile: ConfigOptions["readTextFile"],
): Promise<ConnectionOptions> {
  const read = async (path: string, parameter: string) => {
    try {
      return await readTextFile(path);
    } catch (error) {
      throw new CollateralError("SERVICE_CONFIGURATION", `${parameter} ${path} of the database's URL cannot be read`, {
        cause: error,
      });
    }
  };
  return {
    ...(rootCertificates === undefined ? {} : { ca: await read(rootCertificates, "sslrootcert") }),
    ...(certificate === undefined ? {} : { cert: await read(certificate, "sslcert") }),
    ...(key === undefined ? {} : { key: await read(key, "sslkey") }),
    rejectUnauthorized: mode !== "require",
    // Of an address the driver tells TLS no name to check.
    checkServerIdentity: (_name, peer) => (mode === "verify-full" ? checkServerIdentity(host, peer) : undefined),
  };
}
