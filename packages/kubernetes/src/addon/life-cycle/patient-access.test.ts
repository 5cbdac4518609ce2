import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import { HttpClusterAccess } from "../access/http-cluster-access.ts";
import { FakeCluster } from "../testing/fake-cluster.ts";
import { directConnection } from "../testing/fake-cluster-server.ts";
import { patientAccess } from "./patient-access.ts";

function scene() {
  let now = 0;
  const state = { failing: 0, calls: 0, elapsed: () => now };
  const clock = {
    now: () => now,
    setTimeout(run: () => void, milliseconds: number) {
      now += milliseconds;
      setImmediate(run);
    },
    clearTimeout: () => undefined,
  };
  const { call } = directConnection(new FakeCluster());
  const access = new HttpClusterAccess({
    async call(...asked) {
      state.calls++;
      if (state.failing-- > 0) throw new ApiError("API_SERVER_UNREACHABLE", "no answer");
      return call(...asked);
    },
  });
  return { state, access: patientAccess(access, clock) };
}

test("an API server that goes away for a while is waited for", async () => {
  const { state, access } = scene();
  await access.version();
  state.failing = 5;
  assert.deepEqual(await access.version(), [1, 34]);
  assert.equal(state.calls, 7);
});

test("one that never answered is given up at once, one that stays away after a minute", async () => {
  const { state, access } = scene();
  state.failing = 1;
  await assert.rejects(access.version(), /no answer/);
  assert.equal(state.calls, 1);
  await access.version();
  state.failing = 1000;
  await assert.rejects(access.version(), /no answer/);
  assert.ok(state.elapsed() >= 60_000 && state.elapsed() < 70_000);
});

test("a refusal is an answer", async () => {
  const { state, access } = scene();
  await access.version();
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "absent" } };
  await assert.rejects(access.apply(object), /404/);
  assert.equal(state.calls, 2);
});
