import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, globSync, rmSync } from "node:fs";
import { chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";

/**
 * The system's PostgreSQL on data of its own, reachable through a socket in a private directory only. It runs as the user
 * `postgres` or `nobody` when the test is root, which the server refuses to be. With fsync, as in production.
 */
export interface PostgresServer {
  readonly version: string;
  /** Directory of its programs: pg_dump, psql. */
  readonly programs: string;
  /** Of a fresh database, empty. */
  createDatabase(): Promise<string>;
  /** Ends the server as a crash of all its processes would, and starts it again. */
  restart(): Promise<void>;
  /** `immediate` recovers from the log at the next start. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes everything. */
  close(): Promise<void>;
}

const SUPERUSER = "confcom";
const STARTUP_MS = 60_000;
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  max_connections: "100",
  shared_buffers: "64MB",
  fsync: "on",
  synchronous_commit: "on",
  deadlock_timeout: "200ms",
  log_min_messages: "fatal",
  unix_socket_permissions: "0700",
};

export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries();
  const identity = await unprivileged();
  const directory = await mkdtemp(join(tmpdir(), "confcom-pg-"));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    await chmod(directory, 0o700);
    const password = randomBytes(16).toString("hex");
    const passwordFile = join(directory, "password");
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (identity !== undefined) {
      await chown(directory, identity.uid, identity.gid);
      await chown(passwordFile, identity.uid, identity.gid);
    }
    const environment = { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" };
    const options = { ...identity, cwd: directory, env: environment };
    const data = join(directory, "data");
    const { stdout } = await promisify(execFile)(join(bin, "postgres"), ["--version"], options);
    await promisify(execFile)(
      join(bin, "initdb"),
      // Only what initdb writes is not synced: the server syncs all it acknowledges.
      [
        "-D",
        data,
        "-U",
        SUPERUSER,
        "-E",
        "UTF8",
        "--locale=C",
        "-A",
        "scram-sha-256",
        `--pwfile=${passwordFile}`,
        "-N",
      ],
      options,
    );
    await rm(passwordFile);
    const settings = { ...SETTINGS, unix_socket_directories: directory };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const url = (database: string) =>
      `postgres://${SUPERUSER}:${password}@/${database}?host=${encodeURIComponent(directory)}`;

    let server: ChildProcess | undefined;
    let databases = 0;
    const start = async () => {
      server = spawn(join(bin, "postgres"), ["-D", data, ...args], { ...options, stdio: ["ignore", "ignore", "pipe"] });
      await ready(server, url("postgres"));
    };
    const stop = async (mode: "fast" | "immediate") => {
      const stopped = server;
      server = undefined;
      if (stopped === undefined || stopped.exitCode !== null || stopped.signalCode !== null) return;
      const exit = new Promise((resolve) => stopped.once("exit", resolve));
      stopped.kill(mode === "fast" ? "SIGINT" : "SIGQUIT");
      await exit;
    };
    // A run that is given up ends the server before its data goes.
    process.prependOnceListener("exit", () => server?.kill("SIGQUIT"));
    await start();
    return {
      version: stdout.trim(),
      programs: bin,
      start,
      stop,
      async restart() {
        await stop("immediate");
        await start();
      },
      async createDatabase() {
        const name = `test_${++databases}`;
        await withClient(url("postgres"), (client) => client.query(`CREATE DATABASE ${name}`));
        return url(name);
      },
      async close() {
        await stop("immediate");
        remove();
        process.off("exit", remove);
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Runs one statement or more as the superuser, apart from any store. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The directory of `initdb` and `postgres`; Debian keeps them off the path. */
function binaries(): string {
  const debian = globSync("/usr/lib/postgresql/*/bin").sort(
    (a, b) => Number(b.split("/")[4]) - Number(a.split("/")[4]),
  );
  const found = [...debian, ...(process.env.PATH ?? "").split(delimiter)].find(
    (path) => existsSync(join(path, "initdb")) && existsSync(join(path, "postgres")),
  );
  if (found === undefined) {
    throw new Error("PostgreSQL's server is not installed: apt-get install --no-install-recommends postgresql");
  }
  return found;
}

async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const user = users.find((fields) => fields[0] === name);
    if (user !== undefined) return { uid: Number(user[2]), gid: Number(user[3]) };
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody");
}

async function ready(server: ChildProcess, url: string): Promise<void> {
  let words = "";
  let ended = false;
  server.stderr?.on("data", (chunk: Buffer) => {
    words = `${words}${chunk.toString("utf8")}`.slice(-2_000);
  });
  server.once("exit", () => {
    ended = true;
  });
  server.once("error", () => {
    ended = true;
  });
  for (const deadline = performance.now() + STARTUP_MS; ; ) {
    try {
      await withClient(url, (client) => client.query("SELECT 1"));
      return;
    } catch (error) {
      if (ended) throw new Error(`PostgreSQL ended while it started: ${words}`);
      if (performance.now() >= deadline) throw new Error(`PostgreSQL did not start: ${words}`, { cause: error });
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
