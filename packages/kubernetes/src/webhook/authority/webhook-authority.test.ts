import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { afterEach, beforeEach, test } from "node:test";
import { FakeApiServer } from "../../testing/fake-api-server/fake-api-server.ts";
import { createAuthority } from "../../tls-authority/index.ts";
import { ROTATE_ANNOTATION } from "./authority-secret.ts";
import {
  bundles,
  CONFIGURATION,
  configure,
  type Replica,
  replica,
  SECRET,
  StandingClock,
  secretValue,
  TIMES,
} from "./testing/replica.ts";

let api: FakeApiServer;
let clock: StandingClock;
let replicas: Replica[];

beforeEach(async () => {
  api = await FakeApiServer.start();
  clock = new StandingClock();
  replicas = [];
  configure(api);
});

afterEach(async () => {
  for (const one of replicas) one.close();
  await api.stop();
});

function start(): Replica {
  const started = replica(api, clock);
  replicas.push(started);
  return started;
}

const present = ({ served }: Replica) => served.at(-1)?.authority.certificate;

/** Whether the API server, with the caBundles as they are, could call this replica. */
function callable(one: Replica): boolean {
  const served = one.served.at(-1);
  if (served === undefined) return false;
  const leaf = new X509Certificate(served.certificate);
  assert.ok(leaf.verify(new X509Certificate(served.authority.certificate).publicKey));
  return bundles(api).every((bundle) => bundle.includes(served.authority.certificate)) && served.notAfter > clock.now();
}

function ask(): void {
  const secret = api.objects.get(SECRET) as { metadata: object };
  api.objects.put(SECRET, { ...secret, metadata: { ...secret.metadata, annotations: { [ROTATE_ANNOTATION]: "now" } } });
}

/** Replicas that have looked at the cluster once. */
async function running(count: number): Promise<Replica[]> {
  const started = Array.from({ length: count }, start);
  for (const one of started) await one.look();
  return started;
}

/** Looks of all replicas, `between` ms apart, each leaving every replica callable. */
async function looks(count: number, between: number): Promise<void> {
  for (let round = 0; round < count; round++) {
    clock.pass(between);
    for (const one of replicas) {
      await one.look();
      for (const each of replicas) assert.ok(callable(each), `round ${round}`);
    }
  }
}

test("the first replica makes the authority, the others take it over, and the caBundles carry it", async () => {
  const [a, b] = [start(), start()];
  await Promise.all([a.look(), b.look()]);
  assert.equal(present(a), secretValue(api, "ca.crt"));
  assert.equal(present(b), present(a));
  assert.deepEqual(bundles(api), [present(a), present(a)]);
  assert.ok(callable(a) && callable(b));
  assert.deepEqual([a.authority.ready().ok, b.authority.ready().ok], [true, true]);
  assert.notEqual(a.served[0]?.certificate, b.served[0]?.certificate);
  const owners = api.objects
    .owners(CONFIGURATION)
    ?.ownersOf("webhooks", "[slot.sgx-webhook.confcom.dev]", "clientConfig", "caBundle");
  assert.deepEqual(owners, ["sgx-webhook"]);
});

test("a Secret that the manifests shipped empty is filled, and keeps its labels and what others put there", async () => {
  api.objects.put(SECRET, { metadata: { labels: { a: "b" } }, type: "Opaque", data: { theirs: "eA==", "ca.crt": "" } });
  const [a, b] = [start(), start()];
  await Promise.all([a.look(), b.look()]);
  assert.deepEqual(api.objects.get(SECRET)?.metadata.labels, { a: "b" });
  assert.equal(secretValue(api, "theirs"), "x");
  assert.equal(present(a), secretValue(api, "ca.crt"));
  assert.equal(present(b), present(a));
});

test("when nothing is to be done nothing is written", async () => {
  const [a] = (await running(2)) as [Replica];
  const before = api.writes.length;
  await looks(3, TIMES.poll);
  assert.equal(api.writes.length, before);
  assert.equal(a.served.length, 1);
});

test("before the caBundle holds the authority there is no certificate, and the replica is not ready", async () => {
  api.objects.remove(CONFIGURATION);
  const a = start();
  await a.look();
  assert.equal(a.served.length, 0);
  assert.deepEqual(a.authority.ready(), {
    ok: false,
    why: "MutatingWebhookConfiguration sgx-webhook is not there or has no entries",
  });
  configure(api);
  await a.look();
  assert.ok(callable(a));
  assert.ok(a.authority.ready().ok);
  assert.deepEqual(a.authority.report().problems, []);
});

test("a rotation by annotation: trusted first, served later, the old one dropped last; callable all the time", async () => {
  const [a, b] = (await running(2)) as [Replica, Replica];
  const old = present(a) as string;
  ask();
  await looks(1, TIMES.poll);
  const next = secretValue(api, "next-ca.crt") as string;
  assert.equal(api.objects.get(SECRET)?.metadata.annotations?.[ROTATE_ANNOTATION], undefined);
  assert.deepEqual(bundles(api), [old + next, old + next]);
  assert.deepEqual([present(a), present(b)], [old, old]);
  await looks(2, TIMES.propagation / 4);
  assert.deepEqual([present(a), present(b)], [old, old]);
  await looks(2, TIMES.propagation / 2);
  assert.deepEqual([present(a), present(b)], [next, next]);
  assert.equal(secretValue(api, "previous-ca.crt"), old);
  assert.equal(secretValue(api, "next-ca.key"), undefined);
  assert.deepEqual(bundles(api), [old + next, old + next]);
  await looks(2, TIMES.retention);
  assert.equal(secretValue(api, "previous-ca.crt"), undefined);
  assert.deepEqual(bundles(api), [next, next]);
});

test("an old authority is rotated by itself, with a third of its life left", async () => {
  const [a] = (await running(1)) as [Replica];
  const old = present(a);
  await looks(7, TIMES.authorityLife / 10.4);
  assert.equal(present(a), old);
  await looks(30, TIMES.authorityLife / 100);
  assert.notEqual(present(a), old);
});

test("a serving certificate is issued again before it ends, under the same authority", async () => {
  const [a] = (await running(1)) as [Replica];
  await looks(10, TIMES.certificateLife / 5);
  assert.ok(a.served.length >= 3);
  assert.equal(new Set(a.served.map(({ authority }) => authority.fingerprint)).size, 1);
});

test("a caBundle that somebody removed, emptied or filled with nonsense is put right at the next look", async () => {
  const [a] = (await running(1)) as [Replica];
  for (const caBundle of [undefined, "", "bm9uc2Vuc2U=", 7]) {
    const { webhooks } = api.objects.get(CONFIGURATION) as unknown as { webhooks: { clientConfig: object }[] };
    const broken = webhooks.map((one, index) =>
      index === 1 ? one : { ...one, clientConfig: { ...one.clientConfig, caBundle } },
    );
    api.objects.put(CONFIGURATION, { webhooks: broken });
    await a.look();
    assert.ok(callable(a), String(caBundle));
  }
  assert.equal(a.served.length, 1);
});

test("an authority that only a caBundle knows stays for the retention time: somebody may serve under it", async () => {
  const [a] = (await running(1)) as [Replica];
  const stranger = await createAuthority({
    commonName: "stranger",
    notBefore: new Date(clock.now()),
    notAfter: new Date(clock.now() + 100 * TIMES.retention),
  });
  const { webhooks } = api.objects.get(CONFIGURATION) as unknown as { webhooks: { clientConfig: object }[] };
  const caBundle = Buffer.from(stranger.certificate).toString("base64");
  api.objects.put(CONFIGURATION, {
    webhooks: webhooks.map((one) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle } })),
  });
  await looks(1, TIMES.poll);
  assert.deepEqual(bundles(api), Array(2).fill(present(a) + stranger.certificate));
  await looks(1, TIMES.retention);
  assert.deepEqual(bundles(api), [present(a), present(a)]);
});

test("a Secret that was deleted is made anew with another authority, and nobody notices", async () => {
  const [a, b] = (await running(2)) as [Replica, Replica];
  const old = present(a);
  api.objects.remove(SECRET);
  const fresh = start();
  clock.pass(TIMES.poll);
  await Promise.all([fresh.look(), a.look(), b.look()]);
  await looks(5, TIMES.propagation / 2);
  assert.notEqual(present(a), old);
  assert.deepEqual([present(b), present(fresh)], [present(a), present(a)]);
});

test("a deleted Secret that may not be created is said; who serves goes on and keeps the caBundle right", async () => {
  const [a] = (await running(1)) as [Replica];
  api.objects.remove(SECRET);
  configure(api);
  api.behaviour.answer = (method) => (method === "POST" ? { status: 403 } : undefined);
  await looks(1, TIMES.poll);
  assert.equal(a.authority.report().problems[0]?.code, "WEBHOOK_AUTHORITY_MISSING");
  assert.ok(a.authority.ready().ok);
});

const malformed: Readonly<Record<string, (data: Record<string, string>) => Record<string, string>>> = {
  "a key without a certificate": ({ "ca.key": key = "" }) => ({ "ca.key": key }),
  "a certificate without a key": ({ "ca.crt": certificate = "" }) => ({ "ca.crt": certificate }),
  nonsense: () => ({ "ca.crt": "bm9uc2Vuc2U=", "ca.key": "bm9uc2Vuc2U=" }),
  "a key of nothing": (data) => ({ ...data, "ca.key": "bm9uc2Vuc2U=" }),
  "a value without end": (data) => ({ ...data, "previous-ca.crt": "A".repeat(200_000) }),
  "previous ones that are none": (data) => ({ ...data, "previous-ca.crt": "bm9uc2Vuc2U=" }),
  "only a next one": ({ "ca.crt": certificate = "", "ca.key": key = "" }) => ({
    "next-ca.crt": certificate,
    "next-ca.key": key,
  }),
};

for (const [name, change] of Object.entries(malformed)) {
  test(`a Secret with ${name} is left alone; who serves goes on, who starts is not ready and says why`, async () => {
    const [a] = (await running(1)) as [Replica];
    const good = api.objects.get(SECRET)?.data as Record<string, string>;
    api.objects.put(SECRET, { type: "Opaque", data: change(good) });
    const version = api.objects.get(SECRET)?.metadata.resourceVersion;
    await looks(1, TIMES.poll);
    const fresh = start();
    await fresh.look();
    assert.equal(api.objects.get(SECRET)?.metadata.resourceVersion, version);
    assert.ok(a.authority.ready().ok && callable(a));
    assert.ok(!fresh.authority.ready().ok);
    assert.equal(fresh.authority.report().problems[0]?.code, "WEBHOOK_AUTHORITY_MALFORMED");
    assert.match(fresh.authority.ready().why, /^Secret kube-system\/sgx-webhook-authority: /);
    assert.doesNotMatch(JSON.stringify(fresh.log), /nonsense|bm9uc2Vuc2U/);
    api.objects.put(SECRET, { type: "Opaque", data: good });
    await fresh.look();
    assert.ok(fresh.authority.ready().ok);
    assert.equal(present(fresh), present(a));
  });
}

test("a valid authority of somebody else in the Secret is taken over as after a rotation", async () => {
  const [a] = (await running(1)) as [Replica];
  const theirs = await createAuthority({
    commonName: "theirs",
    notBefore: new Date(clock.now()),
    notAfter: new Date(clock.now() + TIMES.authorityLife),
  });
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  api.objects.put(SECRET, {
    data: { "ca.crt": encoded(theirs.certificate), "ca.key": encoded(theirs.privateKey) },
  });
  await looks(4, TIMES.propagation / 2);
  assert.equal(present(a), theirs.certificate);
});

test("an authority from a clock that is ahead is served under by nobody, and soon followed by one that is valid", async () => {
  const [a] = (await running(1)) as [Replica];
  const ahead = clock.now() + TIMES.authorityLife;
  const early = await createAuthority({
    commonName: "early",
    notBefore: new Date(ahead),
    notAfter: new Date(ahead + TIMES.authorityLife),
  });
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  api.objects.put(SECRET, { data: { "ca.crt": encoded(early.certificate), "ca.key": encoded(early.privateKey) } });
  const fresh = start();
  for (let round = 0; round < 2; round++) await fresh.look();
  await looks(4, TIMES.propagation / 2);
  assert.equal(secretValue(api, "previous-ca.crt"), early.certificate, "others may serve under it");
  assert.equal(present(a), secretValue(api, "ca.crt"));
  assert.equal(present(fresh), present(a));
  for (const { served } of [a, fresh]) {
    assert.ok(served.every(({ authority }) => authority.notBefore <= clock.now()));
  }
});

test("replicas that were all away until the authority had expired begin anew", async () => {
  const [a] = (await running(1)) as [Replica];
  clock.pass(TIMES.authorityLife + 1);
  assert.deepEqual(a.authority.ready(), { ok: false, why: "the certificate has expired" });
  const fresh = start();
  await fresh.look();
  await a.look();
  assert.ok(callable(a) && callable(fresh));
});

test("while the API server is away a replica stays ready, but not for ever", async () => {
  const [a] = (await running(1)) as [Replica];
  await api.stop();
  clock.pass(TIMES.poll);
  await a.look();
  assert.equal(a.authority.report().problems[0]?.code, "API_SERVER_UNREACHABLE");
  assert.ok(a.authority.ready().ok);
  clock.pass(TIMES.retention);
  assert.ok(!a.authority.ready().ok);
  await api.start();
  await a.look();
  assert.ok(a.authority.ready().ok);
});

test("neither log nor report holds a private key", async () => {
  const [a] = (await running(1)) as [Replica];
  ask();
  await looks(6, TIMES.propagation);
  const said = JSON.stringify([a.log, a.authority.report()]);
  assert.ok(a.served.length > 1);
  assert.doesNotMatch(said, /PRIVATE KEY/);
});

/** A replica that dies after `requests` requests: those are done, and of what follows nothing happens any more. */
async function dyingLook(requests: number): Promise<void> {
  const doomed = replica(api, clock);
  let left = requests;
  api.behaviour.answer = () => (--left < 0 ? { status: 503 } : undefined);
  await doomed.look();
  doomed.close();
  api.behaviour.answer = undefined;
}

test("a replica that dies in a rotation, after any number of requests, leaves nothing that others cannot finish", async () => {
  const [steady] = (await running(1)) as [Replica];
  for (let requests = 1; requests <= 8; requests++) {
    ask();
    const before = present(steady);
    await dyingLook(requests);
    await looks(1, TIMES.propagation / 2);
    await dyingLook(requests);
    await looks(8, TIMES.propagation / 2);
    assert.notEqual(present(steady), before, `${requests} requests`);
    await looks(3, TIMES.retention);
    assert.equal(secretValue(api, "previous-ca.crt"), undefined);
    assert.deepEqual(bundles(api), [present(steady), present(steady)]);
  }
});

test("a replica that dies as the first of all, after any number of requests, leaves nothing in the next one's way", async () => {
  for (let requests = 1; requests <= 6; requests++) {
    api.objects.remove(SECRET);
    configure(api);
    await dyingLook(requests);
    const next = replica(api, clock);
    await next.look();
    next.close();
    assert.ok(callable(next) && next.authority.ready().ok, `${requests} requests`);
  }
});
