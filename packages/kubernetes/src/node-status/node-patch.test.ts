import assert from "node:assert/strict";
import { test } from "node:test";
import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "../names.ts";
import type { PluginStatus } from "../status/plugin-status.ts";
import { examplePluginStatus } from "../status/testing/example-plugin-status.ts";
import { nodePatch, type WantedNode, wantedNode } from "./node-patch.ts";
import { type NodeView, nodeView } from "./node-view.ts";

const node = (parts: Partial<NodeView> = {}): NodeView => ({
  name: "worker-1",
  resourceVersion: "7",
  labels: { "kubernetes.io/os": "linux" },
  annotations: {},
  capacity: { cpu: "2" },
  ...parts,
});

const wanted = (status: Partial<PluginStatus> = {}): WantedNode => {
  const made = wantedNode(examplePluginStatus(status));
  assert.ok(made);
  return made;
};

const OUR_LABELS = {
  "sgx.confcom.dev/capable": "true",
  "sgx.confcom.dev/epc-mib": "64",
  "sgx.confcom.dev/driver": "in-tree",
};
const NOTED = { "sgx.confcom.dev/counters": INTEL_EPC_RESOURCE };
const intelCounter = { counters: [{ name: INTEL_EPC_RESOURCE, quantity: "67108864" }] };
const notCapable = { sgx: { ...examplePluginStatus().sgx, capable: false } };

test("a new SGX node gets our three labels and nothing else", () => {
  assert.deepEqual(nodePatch(node(), wanted()), { metadata: { labels: OUR_LABELS } });
});

test("a node that shows what it should is not written", () => {
  assert.equal(nodePatch(node({ labels: OUR_LABELS }), wanted()), undefined);
});

test("labels go when the hardware is gone", () => {
  assert.deepEqual(nodePatch(node({ labels: OUR_LABELS }), wanted(notCapable)), {
    metadata: {
      labels: { "sgx.confcom.dev/capable": null, "sgx.confcom.dev/epc-mib": null, "sgx.confcom.dev/driver": null },
    },
  });
});

test("a counter is written together with the note that it is ours", () => {
  assert.deepEqual(nodePatch(node({ labels: OUR_LABELS }), wanted(intelCounter)), {
    metadata: { annotations: NOTED },
    status: { capacity: { [INTEL_EPC_RESOURCE]: "67108864" } },
  });
});

test("quantities are compared by value, not by spelling", () => {
  const shown = node({ labels: OUR_LABELS, annotations: NOTED, capacity: { [INTEL_EPC_RESOURCE]: "64Mi" } });
  assert.equal(nodePatch(shown, wanted(intelCounter)), undefined);
});

test("a counter that the kubelet set to zero is written again", () => {
  const shown = node({ labels: OUR_LABELS, annotations: NOTED, capacity: { [INTEL_EPC_RESOURCE]: "0" } });
  assert.deepEqual(nodePatch(shown, wanted(intelCounter)), {
    status: { capacity: { [INTEL_EPC_RESOURCE]: "67108864" } },
  });
});

test("a counter of ours that is no longer wanted is removed, not set to zero", () => {
  const shown = node({ labels: OUR_LABELS, annotations: NOTED, capacity: { [INTEL_EPC_RESOURCE]: "64Mi" } });
  assert.deepEqual(nodePatch(shown, wanted()), {
    metadata: { annotations: { "sgx.confcom.dev/counters": null } },
    status: { capacity: { [INTEL_EPC_RESOURCE]: null } },
  });
});

test("a counter that somebody else wrote stays", () => {
  const shown = node({ labels: OUR_LABELS, capacity: { [INTEL_EPC_RESOURCE]: "64Mi" } });
  assert.equal(nodePatch(shown, wanted()), undefined);
});

test("when a resource goes over to the device plugin, its number is the kubelet's and only the note goes", () => {
  const shown = node({
    labels: OUR_LABELS,
    annotations: { "sgx.confcom.dev/counters": AZURE_EPC_RESOURCE },
    capacity: { [AZURE_EPC_RESOURCE]: "64" },
  });
  assert.deepEqual(nodePatch(shown, wanted()), {
    metadata: { annotations: { "sgx.confcom.dev/counters": null } },
  });
});

test("a forged note cannot make us remove what is not ours", () => {
  const shown = node({ labels: OUR_LABELS, annotations: { "sgx.confcom.dev/counters": "cpu,nvidia.com/gpu" } });
  assert.deepEqual(nodePatch(shown, wanted()), { metadata: { annotations: { "sgx.confcom.dev/counters": null } } });
});

test("a plugin cannot make us write other resources than the counters of EPC", () => {
  assert.deepEqual(wanted({ counters: [{ name: "nvidia.com/gpu", quantity: "8" }] }).counters, {});
});

test("a counter that is not to be written now is neither written nor noted", () => {
  const notNow = new Set([INTEL_EPC_RESOURCE]);
  assert.equal(nodePatch(node({ labels: OUR_LABELS }), wanted(intelCounter), notNow), undefined);
  const noted = node({ labels: OUR_LABELS, annotations: NOTED });
  assert.equal(nodePatch(noted, wanted(intelCounter), notNow), undefined);
});

test("a plugin that starts, or stands by for a newer one, says nothing about the node", () => {
  assert.equal(wantedNode(examplePluginStatus({ state: "starting" })), undefined);
  assert.equal(wantedNode(examplePluginStatus({ state: "standby" })), undefined);
});

test("a driver's name that is no label value is left out", () => {
  const sgx = examplePluginStatus().sgx;
  const labels = wanted({ sgx: { ...sgx, devices: { ...sgx.devices, generation: "new driver!" } } }).labels;
  assert.equal(labels["sgx.confcom.dev/driver"], null);
});

test("a Node is read tolerantly, and anything else is refused", () => {
  assert.deepEqual(nodeView({ kind: "Node", metadata: { name: "n", labels: { a: "b", c: 1 } }, status: {} }), {
    name: "n",
    resourceVersion: "",
    labels: { a: "b" },
    annotations: {},
    capacity: {},
  });
  for (const body of [undefined, null, [], {}, { kind: "Status" }, { kind: "Node", metadata: {} }]) {
    assert.throws(() => nodeView(body), { code: "API_SERVER_REFUSED" });
  }
});
