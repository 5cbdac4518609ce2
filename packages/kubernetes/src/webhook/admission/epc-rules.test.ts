import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdmissionOptions, admitPod } from "./admit-pod.ts";
import { applyJsonPatch } from "./testing/apply-json-patch.ts";
import { AZURE, BYTES, container, ENCLAVE, INTEL, MIB, type Pod, pod, testRules } from "./testing/rule-example.ts";

testRules([
  { rule: "E1", given: pod([container("app", { [BYTES]: "5Mi" })]), becomes: pod([container("app", { [MIB]: "5" })]) },
  {
    rule: "E1",
    given: pod([container("app", { [BYTES]: "1048577" })]),
    becomes: pod([container("app", { [MIB]: "2" })]),
  },
  {
    rule: "E1",
    given: pod([container("app", { [MIB]: "100k", cpu: "1" })]),
    options: INTEL,
    becomes: pod([container("app", { cpu: "1", [BYTES]: "100000Mi" })]),
  },
  {
    rule: "E1",
    given: pod([container("app", {})], {}, { initContainers: [container("first", { [BYTES]: "0.5Gi" })] }),
    becomes: pod([container("app", {})], {}, { initContainers: [container("first", { [MIB]: "512" })] }),
  },
  {
    rule: "E1",
    given: pod([{ name: "app", resources: { limits: { [BYTES]: "3e6" } } }]),
    becomes: pod([container("app", { [MIB]: "3" })]),
  },
  {
    rule: "E2",
    given: pod([container("app", { [BYTES]: "8Mi", [MIB]: "10" })]),
    becomes: pod([container("app", { [MIB]: "10" })]),
    says: /container "app" asks for EPC under two names and in different amounts: it gets the larger/,
  },
  {
    rule: "E2",
    given: pod([container("app", { [BYTES]: "10Mi", [MIB]: "10" })]),
    options: INTEL,
    becomes: pod([container("app", { [BYTES]: "10Mi" })]),
  },
  { rule: "E3", given: pod([container("app", { [MIB]: "500m" })]), options: INTEL },
  { rule: "E3", given: pod([container("app", { [BYTES]: "-5Mi" })]) },
  { rule: "E3", given: pod([container("app", { [BYTES]: "much" })]) },
  { rule: "E3", given: pod([{ name: "app", resources: { requests: { [BYTES]: "5Mi" } } }]) },
  {
    rule: "E3",
    given: pod([{ name: "app", resources: { limits: { [BYTES]: "5Mi" }, requests: { [BYTES]: "4Mi" } } }]),
  },
  {
    rule: "E4",
    given: pod([container("app", { [MIB]: "10Mi" })]),
    refused: "EPC_UNIT",
    says: /container "app" asks for 10Mi of .*, which counts MiB: that is 10485760 MiB. For 10 MiB write "10", without/,
  },
  { rule: "E4", given: pod([container("app", { [MIB]: "1048576" })]), options: INTEL, refused: "EPC_UNIT" },
  { rule: "E4", given: pod([container("app", { [BYTES]: "1Ti" })]), refused: "EPC_UNIT" },
  {
    rule: "E5",
    given: pod([container("app", { [BYTES]: "10" })]),
    becomes: pod([container("app", { [MIB]: "1" })]),
    says: /asks for 10 bytes of EPC: .* for 10 MiB write "10Mi"/,
  },
  {
    rule: "E6",
    given: pod([container("app", { [MIB]: "10" }), container("other", { [MIB]: "0" })]),
    options: { ...AZURE, enclaveSlot: true },
    becomes: pod([container("app", { [MIB]: "10", [ENCLAVE]: "1" }), container("other", { [MIB]: "0" })]),
  },
  {
    rule: "E6",
    given: pod([container("app", { [BYTES]: "10Mi", [ENCLAVE]: "2" })]),
    options: { ...INTEL, enclaveSlot: true },
  },
]);

test("rule E7: the pod's EPC is annotated in bytes, as much as its containers hold at the same time", () => {
  const annotated = (given: Pod, options: AdmissionOptions): unknown =>
    (applyJsonPatch(given, admitPod(given, options).patch) as { metadata: { annotations?: Record<string, string> } })
      .metadata.annotations?.[BYTES];
  const sidecar = container("side", { [MIB]: "2" }, { restartPolicy: "Always" });
  const init = [container("a", { [MIB]: "3" }), sidecar, container("b", { [MIB]: "9" })];
  assert.equal(annotated(pod([container("app", { [MIB]: "4" })], {}, { initContainers: init }), AZURE), "11534336");
  assert.equal(annotated(pod([container("app", { [BYTES]: "1000000" })]), INTEL), "1000000");
  assert.equal(annotated(pod([container("app", { [BYTES]: "1000000" })]), AZURE), "1048576");
  assert.equal(annotated(pod([container("app", {})]), AZURE), undefined);
  const right = pod([container("app", { [MIB]: "4" })], { [BYTES]: "4Mi" });
  assert.deepEqual(admitPod(right, AZURE).patch, []);
  assert.equal(annotated(pod([container("app", { [MIB]: "4" })], { [BYTES]: "64Mi" }), AZURE), "4194304");
});
