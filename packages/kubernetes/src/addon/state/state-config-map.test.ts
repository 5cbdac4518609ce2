import assert from "node:assert/strict";
import { test } from "node:test";
import { KubernetesError } from "../../errors.ts";
import type { ClusterObject } from "../cluster-access.ts";
import { enabledProfile } from "../profile.ts";
import type { AddonState } from "./addon-state.ts";
import { readState, stateConfigMap } from "./state-config-map.ts";

const state: AddonState = {
  phase: "enabling",
  version: "1.2.3",
  profile: enabledProfile(true),
  values: { tolerations: [{ operator: "Exists" }] },
  registry: "mirror.example/confcom",
  inventory: [{ apiVersion: "apps/v1", kind: "DaemonSet", resource: "daemonsets", namespace: "n", name: "sgx-plugin" }],
};

const stored = (changes: Readonly<Record<string, string>> = {}): ClusterObject => {
  const object = stateConfigMap(state, "n");
  return {
    ...object,
    metadata: { ...object.metadata, resourceVersion: "7" },
    data: { ...object.data, ...changes },
  } as unknown as ClusterObject;
};
const failsWith = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof KubernetesError && error.code === code && words.test(error.message);

test("what is written is read again", () => {
  assert.deepEqual(readState(stored()), { ...state, namespace: "n", resourceVersion: "7" });
});

test("a newer schema is read as long as it says that it can be", () => {
  assert.equal(readState(stored({ schema: "9", "added-later": "x" })).phase, "enabling");
  const message = /written by confcom 1\.2\.3.*schema 2, this one has 1/;
  assert.throws(() => readState(stored({ schema: "2", "readable-by": "2" })), failsWith("ADDON_STATE_NEWER", message));
});

test("what somebody else made of it is refused", () => {
  for (const changes of [
    { phase: "asleep" },
    { "readable-by": "" },
    { inventory: "{}" },
    { inventory: '[{"kind":"Pod"}]' },
    { profile: "null" },
    { values: "[1]" },
    { values: "{" },
  ]) {
    assert.throws(() => readState(stored(changes)), failsWith("ADDON_STATE_MALFORMED", /ConfigMap n\/sgx-addon/));
  }
});
