import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KubernetesError } from "../errors.ts";
import { decodePluginStatus } from "./decode-plugin-status.ts";
import { PLUGIN_STATUS_SIZE_LIMIT } from "./plugin-status.ts";
import { examplePluginStatus } from "./testing/example-plugin-status.ts";

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const isMalformed = (error: unknown) => error instanceof KubernetesError && error.code === "PLUGIN_STATUS_MALFORMED";

test("a status comes out as it went in", () => {
  const status = examplePluginStatus();
  assert.deepEqual(decodePluginStatus(encode(status)), status);
});

test("fields of a later version are dropped, nothing more", () => {
  const status = examplePluginStatus();
  assert.deepEqual(decodePluginStatus(encode({ ...status, later: { than: "this" } })), status);
});

test("a status without a required field is refused, and the field named", () => {
  for (const field of ["version", "now", "startedAt", "state", "sgx", "resources", "counters", "problems", "events"]) {
    const { [field]: _removed, ...rest } = examplePluginStatus() as unknown as Record<string, unknown>;
    assert.throws(
      () => decodePluginStatus(encode(rest)),
      (error) => isMalformed(error) && (error as Error).message.includes(`status.${field}`),
      field,
    );
  }
});

test("a counter is a resource name and a whole number, written one way", () => {
  const status = examplePluginStatus();
  for (const counter of [
    { name: "sgx.intel.com/epc", quantity: "1e3" },
    { name: "sgx.intel.com/epc", quantity: "-1" },
    { name: "sgx.intel.com/epc", quantity: "01" },
    { name: "sgx.intel.com/epc", quantity: 1 },
    { name: "cpu", quantity: "1" },
    { name: "sgx.intel.com/epc/x", quantity: "1" },
    { name: "__proto__", quantity: "1" },
  ]) {
    assert.throws(() => decodePluginStatus(encode({ ...status, counters: [counter] })), isMalformed);
  }
});

test("events whose sequence does not rise are refused", () => {
  const status = examplePluginStatus();
  const [event] = status.events;
  assert.throws(() => decodePluginStatus(encode({ ...status, events: [event, event] })), isMalformed);
});

test("a longer text than the limit is refused unread", () => {
  assert.throws(() => decodePluginStatus(new Uint8Array(PLUGIN_STATUS_SIZE_LIMIT + 1)), isMalformed);
});

test("whatever the bytes and the values are, the answer is a status or PLUGIN_STATUS_MALFORMED", () => {
  const decode = (bytes: Uint8Array) => {
    try {
      decodePluginStatus(bytes);
    } catch (error) {
      assert.ok(isMalformed(error), String(error));
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), decode));
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(examplePluginStatus())), fc.jsonValue(), (field, value) =>
      decode(encode({ ...examplePluginStatus(), [field]: value })),
    ),
  );
});
