import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ApiError } from "../api/api-error.ts";
import { KubernetesError } from "../errors.ts";
import { createAuthority } from "../tls-authority/index.ts";
import { PccsTrust } from "./pccs-trust.ts";
import { pccsTrustMetrics } from "./pccs-trust-metrics.ts";
import { fingerprintOf, type TrustMaterial } from "./trust-material.ts";

const START = Date.parse("2026-11-21T12:00:00Z");
const CONFIG_MAP = "/api/v1/namespaces/kube-system/configmaps/sgx-quote-root";
const SECRET = "/api/v1/namespaces/kube-system/secrets/sgx-pccs-user-token";

interface Stored {
  metadata: { labels?: Record<string, string>; [key: string]: unknown };
  data?: Record<string, string>;
}

/** Objects in memory, changed by server-side apply as an API server does: named keys are set, others stay. */
class Cluster {
  readonly objects = new Map<string, Stored>();
  readonly applied: { readonly path: string; readonly fieldManager: string; readonly force: boolean }[] = [];
  failure: ApiError | undefined;

  async get(path: string): Promise<unknown> {
    if (this.failure !== undefined) throw this.failure;
    const found = this.objects.get(path);
    if (found === undefined) throw new ApiError("API_SERVER_REFUSED", "not found", { status: 404 });
    return structuredClone(found);
  }

  async apply(path: string, body: unknown, fieldManager: string, { force = false } = {}): Promise<unknown> {
    if (this.failure !== undefined) throw this.failure;
    this.applied.push({ path, fieldManager, force });
    const { metadata, data } = body as Stored;
    const before = this.objects.get(path);
    const labels = { ...before?.metadata.labels, ...metadata.labels };
    const next = { ...before, metadata: { ...before?.metadata, labels }, data: { ...before?.data, ...data } };
    this.objects.set(path, next);
    return structuredClone(next);
  }
}

/** Time that passes only when the test says so. */
class StepClock {
  time = START;
  readonly waits: number[] = [];
  #timer: { readonly run: () => void; readonly milliseconds: number } | undefined;
  readonly now = () => this.time;
  readonly setTimeout = (run: () => void, milliseconds: number) => {
    this.waits.push(milliseconds);
    this.#timer = { run, milliseconds };
    return this.#timer;
  };
  readonly clearTimeout = (timer: unknown) => {
    if (this.#timer === timer) this.#timer = undefined;
  };

  /** Until the daemon sleeps. */
  async asleep(): Promise<void> {
    for (let n = 0; n < 1000; n++) {
      if (this.#timer !== undefined) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.fail("the daemon never slept");
  }

  /** Its next round, to the end. */
  async round(): Promise<void> {
    await this.asleep();
    const timer = this.#timer;
    assert.ok(timer !== undefined);
    this.#timer = undefined;
    this.time += timer.milliseconds;
    timer.run();
    await this.asleep();
  }
}

async function material(name: string): Promise<TrustMaterial> {
  const life = { notBefore: new Date(START - 1000), notAfter: new Date(START + 1e10) };
  const [root, ca] = [
    await createAuthority({ commonName: `${name} root`, ...life }),
    await createAuthority({ commonName: `${name} TLS`, ...life }),
  ];
  return {
    rootCertificate: root.certificate,
    pccsCa: ca.certificate,
    userToken: `token-of-${name}`,
    server: { names: ["sgx-pccs"], notAfter: new Date(START + 1e9) },
  };
}

async function started(t: TestContext, first: TrustMaterial | KubernetesError) {
  const [cluster, clock, stop] = [new Cluster(), new StepClock(), new AbortController()];
  const logged: string[] = [];
  const log = (facts: object, message: string) => void logged.push(`${message} ${JSON.stringify(facts)}`);
  const state = { material: first };
  const trust = new PccsTrust({
    api: cluster,
    namespace: "kube-system",
    configMap: "sgx-quote-root",
    secret: "sgx-pccs-user-token",
    readMaterial: async () => {
      if (state.material instanceof KubernetesError) throw state.material;
      return state.material;
    },
    clock,
    random: () => 0.5,
    log: { info: log, warn: log, error: log },
  });
  const start = async () => {
    const running = trust.run(stop.signal);
    t.after(async () => {
      stop.abort();
      await running;
    });
    await clock.asleep();
  };
  return { cluster, clock, trust, state, logged, start, codes: () => trust.report().problems.map(({ code }) => code) };
}

const data = (cluster: Cluster, path: string) => cluster.objects.get(path)?.data;
const published = ({ rootCertificate, pccsCa }: TrustMaterial) => ({
  "root-ca.pem": rootCertificate,
  "pccs-ca.pem": pccsCa,
});
const secretOf = ({ userToken }: TrustMaterial) => ({ "user-token": Buffer.from(userToken).toString("base64") });

test("root and TLS authority are published in the ConfigMap, the token in the Secret; then nothing is written any more", async (t) => {
  const own = await material("own");
  const { cluster, clock, trust, start } = await started(t, own);
  assert.equal(trust.ready().ok, false);
  await start();
  assert.deepEqual(data(cluster, CONFIG_MAP), published(own));
  assert.deepEqual(data(cluster, SECRET), secretOf(own));
  assert.equal(trust.ready().ok, true);
  assert.deepEqual(cluster.applied, [
    { path: CONFIG_MAP, fieldManager: "sgx-pccs-trust", force: true },
    { path: SECRET, fieldManager: "sgx-pccs-trust", force: true },
  ]);
  await clock.round();
  await clock.round();
  assert.equal(cluster.applied.length, 2);
});

test("objects that the manifests made empty are filled, and what else is in them stays", async (t) => {
  const own = await material("own");
  const { cluster, start, trust } = await started(t, own);
  cluster.objects.set(CONFIG_MAP, { metadata: { labels: { team: "a" } }, data: { note: "ours" } });
  cluster.objects.set(SECRET, { metadata: {} });
  await start();
  assert.deepEqual(data(cluster, CONFIG_MAP), { note: "ours", ...published(own) });
  assert.equal(cluster.objects.get(CONFIG_MAP)?.metadata.labels?.team, "a");
  assert.deepEqual(data(cluster, SECRET), secretOf(own));
  assert.equal(trust.report().replacedRoot, null);
});

test("what somebody edits is put right at the next look, and another root is told of", async (t) => {
  const [own, foreign] = [await material("own"), await material("foreign")];
  const { cluster, clock, trust, logged, start } = await started(t, own);
  await start();
  cluster.objects.set(CONFIG_MAP, { metadata: {}, data: published(foreign) });
  cluster.objects.set(SECRET, { metadata: {}, data: {} });
  await clock.round();
  assert.deepEqual(data(cluster, CONFIG_MAP), published(own));
  assert.deepEqual(data(cluster, SECRET), secretOf(own));
  assert.equal(trust.report().replacedRoot?.fingerprint, fingerprintOf(foreign.rootCertificate));
  assert.equal(logged.filter((line) => line.includes("held another root")).length, 1);
});

test("what somebody deletes is made again, one look after it was missed: at a removal of everything the process is told to stop", async (t) => {
  const own = await material("own");
  const { cluster, clock, start } = await started(t, own);
  await start();
  cluster.objects.clear();
  await clock.round();
  assert.equal(cluster.objects.size, 0);
  await clock.round();
  assert.deepEqual(data(cluster, CONFIG_MAP), published(own));
  assert.deepEqual(data(cluster, SECRET), secretOf(own));
  assert.equal(cluster.objects.get(CONFIG_MAP)?.metadata.labels?.["app.kubernetes.io/part-of"], "confcom");
});

test("what may not be made again stays a problem, and the other object is put right all the same", async (t) => {
  const own = await material("own");
  const { cluster, clock, codes, logged, start } = await started(t, own);
  await start();
  cluster.objects.clear();
  const apply = cluster.apply.bind(cluster);
  cluster.apply = async (path, body, fieldManager, options) => {
    if (path === CONFIG_MAP) throw new ApiError("API_SERVER_FORBIDDEN", "may not create it", { status: 403 });
    return apply(path, body, fieldManager, options);
  };
  for (let n = 0; n < 5; n++) await clock.round();
  assert.deepEqual([codes(), [...cluster.objects.keys()]], [["API_SERVER_FORBIDDEN"], [SECRET]]);
  assert.equal(logged.filter((line) => line.startsWith("removed by somebody")).length, 2);
  assert.equal(logged.filter((line) => line.startsWith("solved")).length, 0);
});

test("a root that is not there yet is awaited every second, and nothing half is published", async (t) => {
  const own = await material("own");
  const awaited = new KubernetesError("PCCS_ROOT_AWAITED", "no root yet");
  const { cluster, clock, trust, state, start, codes } = await started(t, awaited);
  await start();
  await clock.round();
  assert.deepEqual(clock.waits, [1000, 1000]);
  assert.deepEqual([codes(), cluster.applied.length], [["PCCS_ROOT_AWAITED"], 0]);
  assert.deepEqual(trust.ready(), { ok: false, why: "no root yet" });
  state.material = own;
  await clock.round();
  assert.deepEqual([codes(), trust.ready().ok], [[], true]);
});

test("an API server that is away is asked again ever more seldom, for as long as it wants, and published is published", async (t) => {
  const own = await material("own");
  const { cluster, clock, trust, start, codes } = await started(t, own);
  await start();
  cluster.failure = new ApiError("API_SERVER_BUSY", "busy", { status: 429, retryAfterMs: 90_000 });
  await clock.round();
  assert.equal(clock.waits.at(-1), 90_000);
  cluster.failure = new ApiError("API_SERVER_UNREACHABLE", "away");
  for (let n = 0; n < 6; n++) await clock.round();
  assert.deepEqual(clock.waits.slice(-6), [2000, 4000, 8000, 16_000, 20_000, 20_000]);
  assert.deepEqual([codes(), trust.ready().ok], [["API_SERVER_UNREACHABLE"], true]);
  cluster.failure = undefined;
  await clock.round();
  assert.deepEqual([codes(), clock.waits.at(-1)], [[], 10_000]);
});

test("what nobody could use is not published", async (t) => {
  const own = await material("own");
  for (const [broken, words] of [
    [{ ...own, rootCertificate: "" }, /the root certificate cannot be used/],
    [{ ...own, pccsCa: own.pccsCa.slice(0, 90) }, /the CA of the PCCS's TLS certificate cannot be used/],
    [{ ...own, pccsCa: "x".repeat(70_000) }, /larger than 65536 bytes/],
    [{ ...own, userToken: "two secret words" }, /the user token is not one line/],
  ] as const) {
    const { cluster, trust, start } = await started(t, broken);
    await start();
    const [problem] = trust.report().problems;
    assert.equal(problem?.code, "PCCS_STATE_UNUSABLE");
    assert.match(problem?.message ?? "", words);
    assert.equal(cluster.applied.length, 0);
  }
});

test("an API server that takes the object and does not keep it is a problem", async (t) => {
  const { cluster, trust, start, codes } = await started(t, await material("own"));
  cluster.apply = async () => ({ metadata: {}, data: {} });
  await start();
  assert.deepEqual([codes(), trust.ready().ok], [["API_SERVER_REFUSED"], false]);
});

test("the user token is in no log line, no report and no metric", async (t) => {
  const own = await material("own");
  const { cluster, clock, trust, logged, start } = await started(t, own);
  await start();
  cluster.objects.clear();
  await clock.round();
  await clock.round();
  const metrics = await pccsTrustMetrics(trust.report(), { residentBytes: 1, startedAt: START, version: "1" });
  const everything = [...logged, JSON.stringify(trust.report()), metrics].join("\n");
  assert.match(everything, /confcom_pccs_trust_writes_total 4/);
  assert.ok(!everything.includes(own.userToken));
  assert.ok(!everything.includes(secretOf(own)["user-token"]));
});
