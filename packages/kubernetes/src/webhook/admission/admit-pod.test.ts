import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AdmissionOptions, admitPod, WARNING_LIMIT } from "./admit-pod.ts";
import { applyJsonPatch } from "./testing/apply-json-patch.ts";
import { type ContainerObject, hostilePods, optionSets, type PodObject, pods } from "./testing/pods.ts";

const RUNS = { numRuns: 1_500 };
const OPTIONS: AdmissionOptions = {
  resourceNames: "azure",
  enclaveSlot: true,
  injection: "slot",
  aesmDirectory: "/var/run/aesmd",
};

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const member of Object.values(value)) frozen(member);
    Object.freeze(value);
  }
  return value;
}

test("a pod that was admitted is admitted again without a change, whatever it was", () => {
  let changed = 0;
  fc.assert(
    fc.property(pods, optionSets, (pod, options) => {
      const first = admitPod(frozen(pod), options);
      if (first.refusal !== undefined) assert.deepEqual(first.patch, []);
      if (first.patch.length > 0) changed++;
      const admitted = applyJsonPatch(pod, first.patch);
      const second = admitPod(admitted, options);
      assert.deepEqual(second.patch, []);
      assert.equal(second.refusal?.code, first.refusal?.code);
    }),
    RUNS,
  );
  assert.ok(changed > RUNS.numRuns / 10, "hardly a pod was changed: the property says little");
});

const OWN = new Set([
  "kubernetes.azure.com/sgx_epc_mem_in_MiB",
  "sgx.intel.com/epc",
  "sgx.intel.com/enclave",
  "sgx.intel.com/provision",
  "sgx.confcom.dev/quote",
]);

/** What must stay of a map: what is not ours. */
const foreign = (map: object | null | undefined) => Object.entries(map ?? {}).filter(([name]) => !OWN.has(name));
const length = (list: readonly unknown[] | undefined): number => list?.length ?? 0;

/** The pod with everything blanked out that may change; of lists only what `like` has, for they may grow. */
function fixedParts(pod: PodObject, like: PodObject): unknown {
  const containers = (of: readonly ContainerObject[] | undefined, likes: readonly ContainerObject[] | undefined) =>
    of?.map((container, index) => ({
      ...container,
      resources: { limits: foreign(container.resources?.limits), requests: foreign(container.resources?.requests) },
      env: (container.env ?? []).slice(0, length(likes?.[index]?.env)),
      volumeMounts: (container.volumeMounts ?? []).slice(0, length(likes?.[index]?.volumeMounts)),
    }));
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: foreign(pod.metadata.annotations) },
    spec: {
      ...pod.spec,
      containers: containers(pod.spec.containers, like.spec.containers),
      initContainers: containers(pod.spec.initContainers, like.spec.initContainers),
      volumes: (pod.spec.volumes ?? []).slice(0, length(like.spec.volumes)),
    },
  };
}

test("nothing changes but our resources, one annotation, and what is added to the ends of lists", () => {
  fc.assert(
    fc.property(pods, optionSets, (pod, options) => {
      const admitted = applyJsonPatch(pod, admitPod(pod, options).patch) as PodObject;
      assert.deepEqual(fixedParts(admitted, pod), fixedParts(pod, pod));
    }),
    RUNS,
  );
});

test("no container gets a variable, a mount or a slot twice, and none gets both slot and mount", () => {
  fc.assert(
    fc.property(pods, optionSets, (pod, options) => {
      for (const { path } of groupsOf(admitPod(pod, options).patch)) assert.equal(new Set(path).size, path.length);
    }),
    RUNS,
  );
});

/** The patch's additions by container: what is added, so that a repetition shows. */
function groupsOf(patch: readonly { readonly op: string; readonly path: string }[]): { readonly path: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { op, path } of patch) {
    const match = /^\/spec\/(containers\/\d+|initContainers\/\d+|volumes)(.*)$/.exec(path);
    if (match === null || (op === "add" && !/(-|~1[^/]*)$/.test(path))) continue;
    const added = match[2] === "/volumeMounts/-" ? "/resources/limits/sgx.confcom.dev~1quote" : `${op}${match[2]}`;
    groups.set(match[1] ?? "", [...(groups.get(match[1] ?? "") ?? []), added.replace(/^add/, "")]);
  }
  return [...groups.values()].map((path) => ({ path }));
}

test("whatever stands in the place of a pod, or of a part of one, nothing is thrown", () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), hostilePods), optionSets, (pod, options) => {
      const { patch, warnings } = admitPod(pod, options);
      applyJsonPatch(pod, patch);
      assert.ok(warnings.length <= WARNING_LIMIT);
    }),
    RUNS,
  );
  for (const pod of [undefined, null, [], "pod", 7, { spec: null }, { spec: { containers: {} } }]) {
    assert.deepEqual(admitPod(pod, OPTIONS), { patch: [], warnings: [] });
  }
});

test("a pod of very many parts gets bounded messages, or is not looked at", () => {
  const many = <T>(count: number, one: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => one(i));
  const container = (epc: string) => ({
    name: "x".repeat(1_000),
    env: [{ name: "SGX_AESM_ADDR", value: "1" }],
    resources: { limits: { "sgx.intel.com/epc": epc } },
  });
  const volumes = many(30_000, (index) => ({ name: `aesmd-socket-${index}` }));
  const mount = { ...OPTIONS, injection: "mount" } as const;
  const admitted = admitPod({ spec: { containers: many(1_000, () => container("1")), volumes } }, mount);
  assert.ok(admitted.patch.some(({ path }) => path === "/spec/volumes/-"));
  assert.ok(admitted.warnings.every((warning) => warning.length < 300));
  const refused = admitPod({ spec: { containers: many(1_000, () => container("9Ti")) } }, OPTIONS);
  assert.match(refused.refusal?.message ?? "", /and 996 more$/);
  assert.ok((refused.refusal?.message.length ?? 0) < 2_000);
  const ignored = admitPod({ spec: { containers: many(1_001, () => container("1")) } }, OPTIONS);
  assert.deepEqual(ignored.patch, []);
  assert.match(ignored.warnings[0] ?? "", /more than 1000 containers/);
});
