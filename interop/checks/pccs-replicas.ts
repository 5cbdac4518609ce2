import { readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { withClient } from "@confcom/collateral/store/postgres/testing";
import type { TestPlatform } from "@confcom/collateral/testing";
import { type Check, expect, expectEqual } from "../check.ts";
import { confcom, type Places } from "../confcom.ts";
import { eventually } from "../postgres/eventually.ts";
import { askUntilDecided, Load, Tally } from "../postgres/load.ts";
import type { Replica, Request } from "../postgres/replica.ts";
import { pckcertOf, type ReplicaSet, registrationOf, TOKEN, withReplicas } from "../postgres/replica-set.ts";
import type { Scene } from "../scene.ts";

const COLD_PLATFORMS = 2_000;
const COLD_CLIENTS = 64;
const COLD_COPIES = 4;

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const seconds = (since: number) => ((performance.now() - since) / 1_000).toFixed(1);

function both(set: ReplicaSet): [Replica, Replica] {
  const [one, other] = set.replicas;
  if (one === undefined || other === undefined) throw new Error("there are no two replicas");
  return [one, other];
}

const TCB: Request = { path: "tcb?fmspc=C0FC0A000000" };
const QE: Request = { path: "qe/identity" };
const CRL: Request = { path: "pckcrl?ca=processor" };

/** Everybody asks both replicas for every platform, the same ones at the same time. */
async function cold(set: ReplicaSet): Promise<string> {
  const platforms = set.addPlatforms(COLD_PLATFORMS, "cold");
  const requests = platforms.map(pckcertOf);
  const tally = new Tally();
  const start = performance.now();
  const askAll = async (replica: Replica) => {
    let next = 0;
    const client = async () => {
      for (let n = next++; n < requests.length * COLD_COPIES; n = next++) {
        const request = requests[Math.floor(n / COLD_COPIES)] as Request;
        tally.count(await askUntilDecided(replica, request, tally));
      }
    };
    await Promise.all(Array.from({ length: COLD_CLIENTS }, client));
  };
  await Promise.all(set.replicas.map(askAll));
  const fetches = set.fetchesOf(platforms);
  const documents = [...set.documentFetches().values()];
  expectEqual(tally.of(200), 2 * COLD_COPIES * COLD_PLATFORMS, `answers with 200 (${tally})`);
  expectEqual(Math.min(...fetches), 1, "fewest fetches of a platform");
  expectEqual(Math.max(...fetches), 1, "most fetches of a platform");
  expectEqual(Math.max(...documents), 1, "most fetches of a document");
  return (
    `${COLD_PLATFORMS} platforms, ${COLD_COPIES} requests for each at either replica at once, ${2 * COLD_CLIENTS} clients: ` +
    `${sum(fetches)} fetches, most for one platform ${Math.max(...fetches)}; ${documents.length} documents, ${sum(documents)} fetches; ` +
    `${tally.of(200)} answered, ${tally.failed} failed, ${tally.retried} times told to come back by the budget; ${seconds(start)} s`
  );
}

/** One is killed under load, in the middle of fetches for which it holds leases. */
async function killed(set: ReplicaSet): Promise<string> {
  const [dead, survivor] = both(set);
  const warm = set.addPlatforms(150, "warm").map(pckcertOf);
  for (const request of warm) await askUntilDecided(survivor, request, new Tally());
  for (const request of [TCB, QE, CRL]) await survivor.ask(request);
  const cold = set.addPlatforms(200, "cold under load");
  const slow = set.addPlatforms(8, "slow");
  // Each slow one is answered once only after the killing: that fetch is the dead one's.
  for (const { encryptedPpid } of slow) {
    set.upstream.fail({ kind: "delay", ms: 30_000 }, { path: encryptedPpid.slice(0, 64), times: 1 });
  }
  const onSurvivor = new Load(survivor, [...warm, TCB, QE, CRL], 24);
  const onDead = new Load(dead, [...warm, TCB, QE, CRL], 24);
  const coldLoad = paced(survivor, cold, 25);
  await eventually("there is load", () => onSurvivor.tally.of(200) > 500 && onDead.tally.of(200) > 500);

  const lost = slow.map((platform) => dead.ask(pckcertOf(platform)));
  await eventually("its fetches are under way", () => sum(set.fetchesOf(slow)) === slow.length);
  const leases = await withClient(set.database, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      "SELECT count(*)::integer AS n FROM confcom.lease WHERE key LIKE '=platform/%' AND expires > clock_timestamp()",
    );
    return rows[0]?.n ?? 0;
  });
  expect(leases >= slow.length, `the one to be killed holds ${leases} leases`);
  // Somebody waits at the survivor already for what the other is fetching.
  const waiting = slow.slice(0, 4).map((platform) => survivor.ask(pckcertOf(platform)));
  const before = onSurvivor.tally.of(200);
  const start = performance.now();
  await dead.kill();
  onDead.stopped = true;
  await onDead.ended;
  // Its clients come to the survivor, with what they were asking for and with all else.
  const broken = (await Promise.all(lost)).filter(({ status }) => status !== 200).length;
  const again = slow.map((platform) => survivor.ask(pckcertOf(platform)));
  const reconnected = new Load(survivor, [...warm, TCB, QE, CRL], 24);
  const waited = new Tally(await Promise.all(waiting));
  const retried = new Tally(await Promise.all(again));
  const takenOver = seconds(start);
  await eventually("the survivor goes on", () => onSurvivor.tally.of(200) > before + 2_000);
  const coldTally = await coldLoad;
  for (const load of [onSurvivor, reconnected]) load.stopped = true;
  await Promise.all([onSurvivor.ended, reconnected.ended]);

  const failed = onSurvivor.tally.failed + reconnected.tally.failed + coldTally.failed + waited.failed + retried.failed;
  const fetches = set.fetchesOf(slow);
  const others = set.fetchesOf(cold);
  expectEqual(broken, slow.length, "requests that ended with the dead one");
  const tallies = [onSurvivor.tally, reconnected.tally, coldTally, waited, retried].join("; ");
  expectEqual(failed, 0, `requests failed on the survivor (${tallies})`);
  expect(
    fetches.every((n) => n === 2),
    `fetches of what the dead one was fetching: ${fetches}`,
  );
  expect(
    others.every((n) => n === 1),
    `fetches of cold platforms under load: at most ${Math.max(...others)}`,
  );
  const answered = onSurvivor.tally.of(200) + reconnected.tally.of(200) + coldTally.of(200);
  return (
    `killed with ${leases} leases held: on the survivor ${answered} answered under load (${coldTally.of(200)} of cold platforms, one fetch each), ` +
    `${waited.of(200)} that waited and ${retried.of(200)} that came back for the dead one's keys: requests failed ${failed}; ` +
    `its ${slow.length} keys fetched once more each, answered ${takenOver} s after the kill`
  );
}

/** Asks for each platform once, so many a second. */
async function paced(replica: Replica, platforms: readonly TestPlatform[], perSecond: number): Promise<Tally> {
  const answers: Promise<void>[] = [];
  const tally = new Tally();
  for (const platform of platforms) {
    answers.push(replica.ask(pckcertOf(platform)).then((answer) => tally.count(answer)));
    await sleep(1_000 / perSecond);
  }
  await Promise.all(answers);
  return tally;
}

/** Registrations at both, one killed meanwhile: what either acknowledged is in the database and is served. */
async function registered(set: ReplicaSet): Promise<string> {
  const [dead, survivor] = both(set);
  const platforms = set.addPlatforms(900, "registered");
  const acknowledged: TestPlatform[] = [];
  const ofDead: TestPlatform[] = [];
  const failures = new Tally();
  let next = 0;
  const register = async (replica: Replica) => {
    while (next < platforms.length) {
      const platform = platforms[next++] as TestPlatform;
      const answer = await replica.ask(registrationOf(platform));
      if (answer.status === 200) {
        acknowledged.push(platform);
        if (replica === dead) ofDead.push(platform);
        continue;
      }
      if (replica === survivor) failures.count(answer);
      if (answer.status === 0) return;
    }
  };
  const lanes = set.replicas.flatMap((replica) => Array.from({ length: 12 }, () => register(replica)));
  await eventually("both acknowledge", () => ofDead.length >= 150 && acknowledged.length >= 300);
  await dead.kill();
  await Promise.all(lanes);
  expectEqual(failures.failed, 0, `registrations failed on the survivor (${failures})`);
  const lost = await withClient(set.database, async (client) => {
    const { rows } = await client.query<{ n: number }>(
      `SELECT count(*)::integer AS n FROM unnest($1::text[]) AS q (qe_id)
       WHERE NOT EXISTS (SELECT FROM confcom.platform p WHERE p.qe_id = q.qe_id)
          OR NOT EXISTS (SELECT FROM confcom.pck_certificate c WHERE c.qe_id = q.qe_id)
          OR NOT EXISTS (SELECT FROM confcom.platform_tcb t WHERE t.qe_id = q.qe_id)`,
      [acknowledged.map(({ qeId }) => qeId)],
    );
    return rows[0]?.n;
  });
  expectEqual(lost, 0, "rows lost of what was acknowledged");
  const fetched = sum(set.fetchesOf(acknowledged));
  for (const platform of acknowledged) expectEqual((await survivor.ask(pckcertOf(platform))).status, 200, "served");
  expectEqual(sum(set.fetchesOf(acknowledged)), fetched, "fetches for what was registered before");
  return (
    `${acknowledged.length} registrations acknowledged (${ofDead.length} by the one that was killed): rows lost ${lost}; ` +
    `all served by the survivor without a fetch; registrations failed on the survivor ${failures.failed}`
  );
}

/** The database crashes under load, stays away for a while and comes back. */
async function databaseRestarted(set: ReplicaSet): Promise<string> {
  const [one, other] = both(set);
  const warm = set.addPlatforms(100, "warm").map(pckcertOf);
  const cached = [...warm, TCB, QE, CRL];
  for (const replica of set.replicas) {
    for (const request of cached) await askUntilDecided(replica, request, new Tally());
  }
  const cold = set.addPlatforms(1_000, "cold");
  const loads = set.replicas.map((replica) => new Load(replica, cached, 16));
  let phase = "before";
  const coldTallies: Record<string, Tally> = { before: new Tally(), outage: new Tally(), after: new Tally() };
  let ended = false;
  const asking = (async () => {
    const answers: Promise<void>[] = [];
    for (let n = 0; !ended; n++) {
      const platform = cold[n % cold.length] as TestPlatform;
      const replica = n % 2 === 0 ? one : other;
      const asked = phase;
      answers.push(
        replica.ask(pckcertOf(platform)).then((answer) => {
          // What was asked before or after and met the outage is the outage's.
          const of = asked === phase && asked !== "outage" ? asked : "outage";
          (coldTallies[of] as Tally).count(answer);
        }),
      );
      await sleep(50);
    }
    await Promise.all(answers);
  })();
  await eventually("there is load", () => loads.every(({ tally }) => tally.of(200) > 1_000));
  await sleep(1_000);
  phase = "outage";
  const gone = performance.now();
  const before = sum(loads.map(({ tally }) => tally.of(200)));
  await set.server.stop("immediate");
  await sleep(8_000);
  const during = sum(loads.map(({ tally }) => tally.of(200))) - before;
  const cachedFailed = sum(loads.map(({ tally }) => tally.failed));
  await set.server.start();
  const away = seconds(gone);
  const back = performance.now();
  const probes = set.addPlatforms(2, "probe").map(pckcertOf);
  await eventually("both answer what is not cached", async () => {
    const answers = await Promise.all([one.ask(probes[0] as Request), other.ask(probes[1] as Request)]);
    return answers.every(({ status }) => status === 200);
  });
  const recovered = seconds(back);
  phase = "after";
  await sleep(3_000);
  ended = true;
  await asking;
  for (const load of loads) load.stopped = true;
  await Promise.all(loads.map((load) => load.ended));
  const { outage, after, before: early } = coldTallies as Record<"outage" | "after" | "before", Tally>;
  const failed = sum(loads.map(({ tally }) => tally.failed));
  expectEqual(cachedFailed, 0, `failures of what was cached, during the outage (${loads.map(({ tally }) => tally)})`);
  expectEqual(failed, 0, `failures of what was cached (${loads.map(({ tally }) => tally)})`);
  expect(during > 1_000, `only ${during} answers from the response cache during the outage`);
  expectEqual(early.failed + after.failed, 0, `failures before and after (${early}; ${after})`);
  expectEqual(outage.failed, outage.of(503), `every failure during the outage is 503 (${outage})`);
  expect(outage.of(503) > 0, "the outage was not noticed");
  // After it all is answered, by both.
  const tally = new Tally();
  for (const replica of set.replicas) {
    for (const platform of cold.slice(0, 200)) tally.count(await askUntilDecided(replica, pckcertOf(platform), tally));
  }
  expectEqual(tally.of(200), 400, `answered after it (${tally})`);
  return (
    `PostgreSQL crashed and away for ${away} s: ${during} answers from the response caches meanwhile, ${failed} failed; ` +
    `uncached: ${outage.of(503)} answered 503, ${outage.of(200)} answered 200 (waited), nothing else; ` +
    `both served the uncached ${recovered} s after it was back; then ${tally.of(200)} of 400 answered`
  );
}

/** A third joins; what is changed through one, or by the command beside them, is served by all, and nothing older after it. */
async function changesHeard(set: ReplicaSet, places: Places): Promise<string> {
  const [one, other] = both(set);
  const [platform] = set.addPlatforms(1, "known") as [TestPlatform];
  const requests = [pckcertOf(platform), TCB, QE, CRL];
  for (const request of requests) await one.ask(request);
  const loads = [new Load(one, requests, 8), new Load(other, requests, 8)];
  await eventually("there is load", () => loads.every(({ tally }) => tally.of(200) > 200));
  const third = await set.join();
  loads.push(new Load(third, requests, 8));
  await eventually("the third serves", () => loads.every(({ tally }) => tally.of(200) > 1_000));

  const registration = await heardRegistration(set);
  const [imported, commanded] = await heardImports(set, places);
  const rounds = 5;
  const { slowest, stale } = await heardRefreshes(set, rounds);
  for (const load of loads) load.stopped = true;
  await Promise.all(loads.map((load) => load.ended));
  const failed = sum(loads.map(({ tally }) => tally.failed));
  expectEqual(stale, 0, "answers from before the change after it was heard");
  expectEqual(failed, 0, `requests failed meanwhile (${loads.map(({ tally }) => tally)})`);
  return (
    `a third joined under load; known to all ${ms(registration)} after its 200: a registration, ${ms(imported)}: an import through one, ` +
    `${ms(commanded)} after its end: one by the command; ${rounds} refreshes, at the latest ${ms(slowest)} after their 200; ` +
    `older answers after that ${stale}, requests failed ${failed}`
  );
}

const ms = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;

/** The upstream says that it does not know them, and every replica remembers that for a minute. */
async function becomeUnknown(set: ReplicaSet, platforms: readonly TestPlatform[]): Promise<void> {
  for (const { encryptedPpid } of platforms) {
    set.upstream.fail({ kind: "status", status: 404 }, { path: encryptedPpid.slice(0, 64) });
  }
  for (const platform of platforms) {
    for (const replica of set.replicas) {
      expectEqual((await replica.ask(pckcertOf(platform))).status, 404, `replica ${replica.name}, before it is known`);
    }
  }
}

/** Milliseconds until all serve it. */
async function knownToAll(set: ReplicaSet, platform: TestPlatform): Promise<number> {
  const start = performance.now();
  for (const replica of set.replicas) {
    const knows = async () => (await replica.ask(pckcertOf(platform))).status === 200;
    await eventually(`replica ${replica.name} knows it`, knows);
  }
  return performance.now() - start;
}

async function heardRegistration(set: ReplicaSet): Promise<number> {
  const [one, other] = both(set);
  const [newcomer] = set.addPlatforms(1, "newcomer") as [TestPlatform];
  await becomeUnknown(set, [newcomer]);
  set.upstream.heal();
  expectEqual((await other.ask(pckcertOf(newcomer))).status, 404, "remembered as unknown");
  expectEqual((await one.ask(registrationOf(newcomer))).status, 200, "registration");
  return knownToAll(set, newcomer);
}

interface Exported {
  readonly platforms: readonly { readonly qe_id: string }[];
  readonly collaterals: { readonly pck_certs: readonly { readonly qe_id: string }[] };
}

/** Two platforms that only an export knows: one comes back through a replica, the other by the command beside them. */
async function heardImports(set: ReplicaSet, places: Places): Promise<[number, number]> {
  const [one, other] = both(set);
  const platforms = set.addPlatforms(2, "imported") as [TestPlatform, TestPlatform];
  for (const platform of platforms) expectEqual((await one.ask(registrationOf(platform))).status, 200, "registration");
  const file = places.file("platformcollateral.json", "");
  const database = places.file("database-url", set.database);
  rmSync(file);
  await confcom(["pccs", "export", "--database", database, "--out", file]);
  const ids = platforms.map(({ qeId }) => qeId);
  await withClient(set.database, async (client) => {
    for (const table of ["platform", "pck_certificate", "platform_tcb"]) {
      await client.query(`DELETE FROM confcom.${table} WHERE qe_id = ANY($1)`, [ids]);
    }
  });
  await becomeUnknown(set, platforms);
  const exported = JSON.parse(readFileSync(file, "utf8")) as Exported;
  const only = ({ qe_id }: { readonly qe_id: string }) => qe_id.toUpperCase() === ids[0];
  const { collaterals } = exported;
  const first = {
    platforms: exported.platforms.filter(only),
    collaterals: { ...collaterals, pck_certs: collaterals.pck_certs.filter(only) },
  };
  const answer = await other.ask({
    method: "PUT",
    path: "platformcollateral",
    headers: { "admin-token": TOKEN, "content-type": "application/json" },
    body: JSON.stringify(first),
  });
  expectEqual(answer.status, 200, `import: ${answer.body}`);
  const imported = await knownToAll(set, platforms[0]);
  expectEqual((await other.ask(pckcertOf(platforms[1]))).status, 404, "the one that was not imported");
  const root = places.file("root.pem", set.pki.rootPem);
  await confcom(["pccs", "import", file, "--database", database, "--trusted-root", root]);
  const commanded = await knownToAll(set, platforms[1]);
  set.upstream.heal();
  return [imported, commanded];
}

/** Each document is issued anew, and the old ones are in all response caches, under load. */
async function heardRefreshes(set: ReplicaSet, rounds: number): Promise<{ slowest: number; stale: number }> {
  let slowest = 0;
  let stale = 0;
  for (let round = 0; round < rounds; round++) {
    const by = set.replicas[round % set.replicas.length] as Replica;
    const old = (await by.ask(TCB)).body;
    set.clock.advance(60_000);
    const refreshed = await by.ask({ method: "POST", path: "refresh", headers: { "admin-token": TOKEN } });
    expectEqual(refreshed.status, 200, `refresh: ${refreshed.body}`);
    const start = performance.now();
    for (const replica of set.replicas) {
      const changed = async () => (await replica.ask(TCB)).body !== old;
      await eventually(`replica ${replica.name} serves the new one`, changed);
    }
    slowest = Math.max(slowest, performance.now() - start);
    for (let n = 0; n < 200; n++) {
      const answers = await Promise.all(set.replicas.map((replica) => replica.ask(TCB)));
      stale += answers.filter(({ body }) => body === old).length;
    }
  }
  return { slowest, stale };
}

/** Documents that end within a day: of three replicas one refreshes them, unasked. */
async function refreshedOnce(set: ReplicaSet): Promise<string> {
  const day = 86_400_000;
  const [platform] = set.addPlatforms(1, "refreshed") as [TestPlatform];
  set.clock.set(Date.now() - 29.5 * day);
  const [first] = both(set);
  for (const request of [pckcertOf(platform), TCB, QE, CRL]) {
    expectEqual((await first.ask(request)).status, 200, request.path.slice(0, 20));
  }
  set.clock.set(Date.now());
  const before = new Map(set.documentFetches());
  const rounds = (outcome: string) =>
    set.replicas.map(({ log }) => log.filter((line) => line.includes(`refresh of documents: ${outcome}`)).length);
  await eventually(
    "every replica had its first round",
    () => {
      const [done, elsewhere] = [rounds("ok"), rounds("elsewhere")];
      return set.replicas.every((_, i) => (done[i] ?? 0) + (elsewhere[i] ?? 0) > 0);
    },
    90_000,
  );
  expectEqual(sum(rounds("failed")), 0, "rounds that failed");
  const fetched = [...set.documentFetches()].map(([url, count]) => count - (before.get(url) ?? 0));
  const anew = fetched.filter((count) => count > 0);
  expect(anew.length >= 4, `documents refreshed: ${anew.length}`);
  expectEqual(Math.max(...fetched), 1, "most fetches of one document");
  return (
    `${set.replicas.length} replicas, ${anew.length} documents that end within a day: ${sum(anew)} fetches, most for one ${Math.max(...fetched)} ` +
    `(rounds done ${rounds("ok")}, left to another ${rounds("elsewhere")})`
  );
}

export const pccsReplicas: readonly Check<Scene>[] = [
  {
    name: "replicas: cold platforms are fetched once between two",
    deadline: 240_000,
    run: ({ places }) => withReplicas(places, 2, cold),
  },
  {
    name: "replicas: one is killed under load while it fetches",
    deadline: 180_000,
    run: ({ places }) => withReplicas(places, 2, killed),
  },
  {
    name: "replicas: what either acknowledged is there after one is killed",
    deadline: 180_000,
    run: ({ places }) => withReplicas(places, 2, registered),
  },
  {
    name: "replicas: PostgreSQL crashes under load",
    deadline: 180_000,
    run: ({ places }) => withReplicas(places, 2, databaseRestarted),
  },
  {
    name: "replicas: a third joins, and changes are heard by all",
    deadline: 180_000,
    run: ({ places }) => withReplicas(places, 2, (set) => changesHeard(set, places)),
  },
  {
    name: "replicas: one of three refreshes",
    deadline: 180_000,
    run: ({ places }) => withReplicas(places, 3, refreshedOnce, { refreshHours: 24, logLevel: "info" }),
  },
];
