import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterNode } from "../cluster/cluster.ts";
import { heldDevices, heldTwice, registeredDevices } from "./held-devices.ts";

/** A node of which only the kubelet's checkpoint is looked at. */
function nodeWith(data: object): ClusterNode {
  const stdout = JSON.stringify({ Data: data, Checksum: 1 });
  return { exec: async () => ({ stdout, stderr: "", status: 0 }) } as unknown as ClusterNode;
}

const entry = (PodUID: string, DeviceIDs: unknown, ResourceName = "epc") => ({
  PodUID,
  ContainerName: "main",
  ResourceName,
  DeviceIDs,
  AllocResp: "",
});

test("the checkpoint's devices are read by NUMA node, and as the bare list of old kubelets", async () => {
  const entries = [entry("a", { "0": ["A"], "1": ["B", "C"], "2": null }), entry("b", ["D"])];
  const held = await heldDevices(nodeWith({ PodDeviceEntries: entries, RegisteredDevices: {} }));
  assert.deepEqual(
    held.map(({ podUid, id, numaNode }) => `${podUid} ${id} ${numaNode}`),
    ["a A 0", "a B 1", "a C 1", "b D -1"],
  );
});

test("a kubelet that has given nothing away yet writes null", async () => {
  const node = nodeWith({ PodDeviceEntries: null, RegisteredDevices: { epc: ["A"] } });
  assert.deepEqual(await heldDevices(node), []);
  assert.deepEqual(await registeredDevices(node), { epc: ["A"] });
});

test("an id is held twice when two running pods have it under one resource's name", async () => {
  const entries = [entry("a", ["X"]), entry("b", ["X"]), entry("c", ["Y"], "slots"), entry("d", ["Y"])];
  const held = await heldDevices(nodeWith({ PodDeviceEntries: entries, RegisteredDevices: {} }));
  assert.deepEqual(heldTwice(held, new Set(["a", "b", "c", "d"])), ["epc X: a and b"]);
  assert.deepEqual(heldTwice(held, new Set(["a", "c", "d"])), []);
});
