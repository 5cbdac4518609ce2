import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOfLiving } from "./events-of-living.ts";
import type { EventFacts } from "./facts/cluster-facts.ts";

const event = (kind: string, name: string, reason = "FailedCreate"): EventFacts => ({
  namespace: "team",
  kind,
  name,
  reason,
  message: "so it is",
  last: 1,
});

async function left(events: readonly EventFacts[], answers: Readonly<Record<string, number>>) {
  const asked: string[] = [];
  const read = async (path: string) => {
    asked.push(path);
    const status = answers[path] ?? 200;
    if (status !== 200) throw Object.assign(new Error("refused"), { status });
    return {};
  };
  const living = await eventsOfLiving({ read }, events);
  return { names: living.map(({ name }) => name), asked };
}

test("pods that could not be made for an object that is gone are no longer anybody's trouble", async () => {
  const { names, asked } = await left([event("Job", "gone"), event("Job", "there"), event("ReplicaSet", "there")], {
    "/apis/batch/v1/namespaces/team/jobs/gone": 404,
  });
  assert.deepEqual(names, ["there", "there"]);
  assert.deepEqual(asked, [
    "/apis/batch/v1/namespaces/team/jobs/gone",
    "/apis/batch/v1/namespaces/team/jobs/there",
    "/apis/apps/v1/namespaces/team/replicasets/there",
  ]);
});

test("an object that may not be read is taken to be there; each is looked for once", async () => {
  const path = "/apis/apps/v1/namespaces/team/daemonsets/a";
  const { names, asked } = await left([event("DaemonSet", "a"), event("DaemonSet", "a")], { [path]: 403 });
  assert.deepEqual(names, ["a", "a"]);
  assert.deepEqual(asked, [path]);
});

test("events of another kind or reason are not looked into", async () => {
  const { names, asked } = await left([event("Pod", "a"), event("Job", "b", "Other"), event("toString", "c")], {});
  assert.deepEqual(names, ["a", "b", "c"]);
  assert.deepEqual(asked, []);
});
