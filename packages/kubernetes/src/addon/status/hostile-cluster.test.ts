import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addonStatus } from "./figures/addon-status.ts";
import { takeSnapshot } from "./take-snapshot.ts";
import { NAMESPACE, NOW } from "./testing/cluster-objects.ts";
import { FAULTS } from "./testing/faults.ts";
import { accessTo, type FakeCluster, healthyCluster, snapshotOf } from "./testing/healthy-cluster.ts";

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    "",
    "x".repeat(10_000),
    -1,
    Number.POSITIVE_INFINITY,
    true,
    [],
    {},
    [null],
    ["sgx"],
    { __proto__: null },
    "99999999E",
    "-1Mi",
    "9".repeat(200),
  ),
  fc.jsonValue(),
);

/** Every place in a value, as a setter. */
function places(value: unknown, into: ((junk: unknown) => void)[] = []): ((junk: unknown) => void)[] {
  if (typeof value !== "object" || value === null) return into;
  for (const [key, item] of Object.entries(value)) {
    into.push((replacement) => {
      (value as Record<string, unknown>)[key] = replacement;
    });
    places(item, into);
  }
  return into;
}

async function judged(cluster: FakeCluster): Promise<void> {
  let snapshot: Awaited<ReturnType<typeof snapshotOf>>;
  try {
    snapshot = await snapshotOf(cluster);
  } catch (error) {
    // Nodes or pods that cannot be read are the only reason to have no answer.
    assert.match(String(error), /GET \/api\/v1\/(nodes|pods): /);
    return;
  }
  assert.equal(typeof JSON.stringify(addonStatus(snapshot)), "string");
}

test("whatever stands in an object or a status, there is an answer", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(FAULTS.length - 1),
      fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 12 }),
      async (fault, changes) => {
        const cluster = healthyCluster();
        FAULTS[fault]?.make(cluster);
        const setters = places(
          [cluster.lists, cluster.objects, cluster.statuses].flatMap((part) => Object.values(part)),
        );
        for (const [at, value] of changes) setters[at % setters.length]?.(value);
        await judged(cluster);
      },
    ),
    { numRuns: 60 },
  );
});

test("a list that never ends is not followed for ever", async () => {
  let pages = 0;
  const endless = {
    read: async (path: string) => {
      pages++;
      return path.startsWith("/api/v1/nodes")
        ? { items: [], metadata: { continue: "more" } }
        : { items: [{}], metadata: {} };
    },
  };
  await takeSnapshot(endless, { namespace: NAMESPACE, now: NOW });
  assert.ok(pages < 100, `${pages} pages`);
});

test("nodes that may not be listed are an error, anything else is told", async () => {
  const cluster = healthyCluster();
  cluster.refused["/api/v1/nodes"] = 403;
  await assert.rejects(takeSnapshot(accessTo(cluster), { namespace: NAMESPACE, now: NOW }), /403/);
  const all = healthyCluster();
  for (const path of [...Object.keys(all.lists), ...Object.keys(all.objects)]) {
    if (path !== "/api/v1/nodes" && path !== "/api/v1/pods") all.refused[path] = 403;
  }
  const { problems } = addonStatus(await snapshotOf(all));
  assert.deepEqual([...new Set(problems.map(({ code }) => code))], ["STATUS_INCOMPLETE"]);
});
