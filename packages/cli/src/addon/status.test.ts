import assert from "node:assert/strict";
import { test } from "node:test";
import type { AddonStatus } from "@confcom/kubernetes/addon";
import { chooseStyle } from "../terminal/style.ts";
import { columns } from "./status-columns.ts";
import { statusLines } from "./status-lines.ts";

const plain = chooseStyle({ NO_COLOR: "1" }, true);
const coloured = chooseStyle({ FORCE_COLOR: "1" }, false);

const status: AddonStatus = {
  takenAt: "2026-06-01T12:00:00.000Z",
  namespace: "kube-system",
  healthy: false,
  components: [
    { name: "sgx-plugin", desired: 2, ready: 2, versions: ["0.1.0"] },
    { name: "sgx-webhook", desired: 2, ready: 0, versions: [] },
  ],
  nodes: [
    {
      name: "sgx-1",
      capable: true,
      epcName: "kubernetes.azure.com/sgx_epc_mem_in_MiB",
      epc: { totalMiB: 512, allocatedMiB: 42, freeMiB: 470 },
      plugin: { version: "0.1.0", state: "serving", mode: "device" },
      helper: { pod: "sgx-quote-helper-x", version: "0.1.0", ready: true, why: "it passes" },
    },
    {
      name: "plain-1",
      capable: false,
      epcName: null,
      epc: { totalMiB: 0, allocatedMiB: 0, freeMiB: 0 },
      plugin: { version: "0.1.0", state: "idle", mode: null },
      helper: null,
    },
  ],
  pods: [
    {
      namespace: "team",
      name: "app",
      node: "sgx-1",
      phase: "Running",
      declaredEpcMiB: 32,
      declaredMode: "out-of-process",
    },
  ],
  webhook: { up: false, caEndsAt: "2027-01-02T03:04:05.000Z" },
  policies: ["sgx-policies-provision"],
  quoteRoot: { sha256: "ab".repeat(32) },
  problems: [
    {
      code: "WEBHOOK_DOWN",
      severity: "error",
      object: { kind: "Deployment", namespace: "kube-system", name: "sgx-webhook" },
      cause: "0 of 2 replicas\u001b[2J ready",
      remedy: "look at its pods",
    },
  ],
};

test("people see nodes, declared EPC and modes, and what is wrong with the way out", () => {
  assert.deepEqual(statusLines(status, plain), [
    "confcom in kube-system: 1 error",
    "",
    "COMPONENT    READY  VERSION",
    "sgx-plugin   2/2    0.1.0",
    "sgx-webhook  0/2    -",
    "",
    "NODE   PLUGIN   MODE    EPC TOTAL  ALLOCATED  FREE     HELPER  VERSION",
    "sgx-1  serving  device  512 MiB    42 MiB     470 MiB  ready   0.1.0",
    "and 1 without SGX",
    "",
    "POD       NODE   PHASE    DECLARED EPC  DECLARED QUOTES",
    "team/app  sgx-1  Running  32 MiB        out-of-process",
    "",
    "webhook     down, its CA ends 2027-01-02",
    `quote root  SHA-256 ${"ab".repeat(32)}`,
    "",
    "error WEBHOOK_DOWN  Deployment kube-system/sgx-webhook",
    "  found  0 of 2 replicas\\u{1b}[2J ready",
    "  to do  look at its pods",
  ]);
});

test("nothing wrong is said in one line; what is not there has no section", () => {
  const quiet = { ...status, components: [], nodes: [], pods: [], webhook: null, quoteRoot: null, problems: [] };
  assert.deepEqual(statusLines(quiet, plain), ["confcom in kube-system: no problems"]);
});

test("a node with a problem has its row; nobody says of a node without plugin that it has no SGX", () => {
  const [, plain1] = status.nodes;
  assert.ok(plain1 !== undefined);
  const nodes = [plain1, { ...plain1, name: "sgx-2" }, { ...plain1, name: "new-1", plugin: null }];
  const problems = [
    {
      code: "EPC_UNKNOWN",
      severity: "error",
      object: { kind: "Node", name: "sgx-2" },
      cause: "no source",
      remedy: "set epcMiB",
    },
  ] as const;
  const lines = statusLines({ ...status, components: [], nodes, pods: [], problems }, plain);
  assert.deepEqual(lines.slice(2, 5), [
    "NODE   PLUGIN  MODE  EPC TOTAL  ALLOCATED  FREE   HELPER  VERSION",
    "sgx-2  idle    -     0 MiB      0 MiB      0 MiB  none    -",
    "and 1 without SGX, 1 where no plugin looked",
  ]);
});

test("colour moves no column", () => {
  const uncoloured = (text: string) => text.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "");
  assert.notDeepEqual(statusLines(status, coloured), statusLines(status, plain));
  assert.deepEqual(statusLines(status, coloured).map(uncoloured), statusLines(status, plain));
});

test("a row of one cell does not widen the column", () => {
  assert.deepEqual(columns([["a", "b"], ["a long remark"], ["c", "d"]]), ["a  b", "a long remark", "c  d"]);
});
