import { createHash } from "node:crypto";
import { type PostgresServer, startPostgres } from "@confcom/collateral/store/postgres/testing";
import {
  type FakeService,
  fakeService,
  ManualClock,
  pckRequest,
  type SoftwarePki,
  softwarePki,
  TEST_TCB_LEVELS,
  type TestPlatform,
  type TestTcb,
} from "@confcom/collateral/testing";
import type { Places } from "../confcom.ts";
import { Replica, type Request } from "./replica.ts";

/** A token as a user has it; the service is given its hash. */
export const TOKEN = "replicas-check";

const CONNECTIONS = 64;

export interface ReplicaSetOptions {
  readonly refreshHours?: number;
  readonly logLevel?: "info" | "warn";
}

/** Replicas of `confcom pccs` on one PostgreSQL, in front of an upstream that counts what it is asked. */
export class ReplicaSet {
  readonly server: PostgresServer;
  readonly database: string;
  readonly upstream: FakeService;
  readonly pki: SoftwarePki;
  /** The upstream's: documents are issued by it. */
  readonly clock: ManualClock;
  readonly replicas: Replica[] = [];
  readonly #args: readonly string[];

  constructor(
    parts: {
      readonly server: PostgresServer;
      readonly database: string;
      readonly upstream: FakeService;
      readonly pki: SoftwarePki;
      readonly clock: ManualClock;
    },
    args: readonly string[],
  ) {
    this.server = parts.server;
    this.database = parts.database;
    this.upstream = parts.upstream;
    this.pki = parts.pki;
    this.clock = parts.clock;
    this.#args = args;
  }

  /** One more replica, ready. */
  async join(): Promise<Replica> {
    const replica = new Replica(String.fromCharCode(65 + this.replicas.length), this.#args, CONNECTIONS);
    this.replicas.push(replica);
    await replica.ready();
    return replica;
  }

  addPlatforms(count: number, name: string): TestPlatform[] {
    return Array.from({ length: count }, (_, n) =>
      this.pki.addPlatform({ name: `${name} ${n}`, ca: "processor", tcbs: [TEST_TCB_LEVELS[0] as TestTcb] }),
    );
  }

  /** Fetches of each platform's certificates, in the order of `platforms`. */
  fetchesOf(platforms: readonly TestPlatform[]): number[] {
    const counts = new Map<string, number>();
    for (const { path, query } of this.upstream.requests) {
      if (!path.endsWith("/pckcerts")) continue;
      const ppid = query.get("encrypted_ppid") ?? "";
      counts.set(ppid, (counts.get(ppid) ?? 0) + 1);
    }
    return platforms.map(({ encryptedPpid }) => counts.get(encryptedPpid) ?? 0);
  }

  /** Fetches of each document, by its URL. */
  documentFetches(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { path, url } of this.upstream.requests) {
      if (!path.endsWith("/pckcerts")) counts.set(url, (counts.get(url) ?? 0) + 1);
    }
    return counts;
  }
}

export function pckcertOf(platform: TestPlatform): Request {
  const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid = "" } = pckRequest(platform);
  const names = { qeid: qeId, cpusvn: cpuSvn, pcesvn: pceSvn, pceid: pceId, encrypted_ppid: encryptedPpid };
  return { path: `pckcert?${new URLSearchParams(names)}` };
}

export function registrationOf(platform: TestPlatform): Request {
  const { qeId, cpuSvn, pceSvn, pceId, encryptedPpid = "" } = pckRequest(platform);
  return {
    method: "POST",
    path: "platforms",
    headers: { "user-token": TOKEN, "content-type": "application/json" },
    body: JSON.stringify({
      qe_id: qeId,
      pce_id: pceId,
      cpu_svn: cpuSvn,
      pce_svn: pceSvn,
      enc_ppid: encryptedPpid,
      platform_manifest: "",
    }),
  };
}

/** Starts everything, and ends it whatever `work` does. */
export async function withReplicas<T>(
  places: Places,
  count: number,
  work: (set: ReplicaSet) => Promise<T>,
  { refreshHours = 0, logLevel = "warn" }: ReplicaSetOptions = {},
): Promise<T> {
  const server = await startPostgres();
  const clock = new ManualClock(Date.now());
  let pki: SoftwarePki | undefined;
  const upstream = await fakeService({
    // Its certificates name the upstream's own address, which is known once it listens.
    get pki() {
      pki ??= softwarePki({ clock, crlBase: upstream.origin });
      return pki;
    },
  });
  pki = softwarePki({ clock, crlBase: upstream.origin });
  const database = await server.createDatabase();
  const tokens = places.file("token-hash", `${createHash("sha512").update(TOKEN).digest("hex")}\n`);
  const set = new ReplicaSet({ server, database, upstream, pki, clock }, [
    ...["--listen", "127.0.0.1:0", "--http", "--mode", "lazy", "--log-level", logLevel],
    ...["--database", places.file("database-url", database), "--refresh-interval", String(refreshHours)],
    ...["--upstream", upstream.base, "--upstream-root", places.file("root.pem", pki.rootPem)],
    ...["--user-token-file", tokens, "--admin-token-file", tokens],
  ]);
  try {
    await Promise.all(Array.from({ length: count }, () => set.join()));
    return await work(set);
  } finally {
    await Promise.all(set.replicas.map((replica) => replica.kill()));
    await upstream.close();
    await server.close();
  }
}
