import assert from "node:assert/strict";
import { test } from "node:test";
import { ObjectStore } from "./object-store.ts";

const SECRETS = "/api/v1/namespaces/n/secrets";
const HOOKS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hook";
const none = new URLSearchParams();
const json = { query: none, contentType: "application/json" };

function apply(store: ObjectStore, manager: string, body: unknown, force = false) {
  const query = new URLSearchParams({ fieldManager: manager, force: String(force) });
  return store.answer({ method: "PATCH", path: HOOKS, query, contentType: "application/apply-patch+yaml", body });
}

const hook = (entries: readonly object[]) => ({ kind: "MutatingWebhookConfiguration", webhooks: entries });

test("who creates second, or replaces what was changed since, is told of the conflict", () => {
  const store = new ObjectStore();
  const body = { metadata: { name: "s" }, data: { a: "1" } };
  assert.equal(store.answer({ method: "POST", path: SECRETS, ...json, body })?.[0], 201);
  assert.equal(store.answer({ method: "POST", path: SECRETS, ...json, body })?.[0], 409);
  const read = store.get(`${SECRETS}/s`);
  const replace = { method: "PUT", path: `${SECRETS}/s`, ...json, body: read };
  assert.equal(store.answer(replace)?.[0], 200);
  assert.equal(store.answer(replace)?.[0], 409);
});

test("apply touches the fields it names, in the list entry of the same name, and leaves the rest", () => {
  const store = new ObjectStore();
  store.put(
    HOOKS,
    hook([
      { name: "slot", timeout: 5, clientConfig: { service: "s" } },
      { name: "mount", timeout: 3 },
    ]),
  );
  apply(store, "sgx-webhook", hook([{ name: "slot", clientConfig: { caBundle: "one" } }]));
  assert.deepEqual(store.get(HOOKS)?.webhooks, [
    { name: "slot", timeout: 5, clientConfig: { service: "s", caBundle: "one" } },
    { name: "mount", timeout: 3 },
  ]);
  assert.deepEqual(store.owners(HOOKS)?.ownersOf("webhooks", "[slot]", "clientConfig", "caBundle"), ["sgx-webhook"]);
});

test("another manager's field is a conflict unless forced, and what an owner names no more is gone", () => {
  const store = new ObjectStore();
  apply(store, "a", hook([{ name: "slot", x: 1, y: 1 }]));
  assert.equal(apply(store, "b", hook([{ name: "slot", x: 2 }]))?.[0], 409);
  assert.equal(apply(store, "b", hook([{ name: "slot", x: 2 }]), true)?.[0], 200);
  apply(store, "a", hook([{ name: "slot" }]));
  assert.deepEqual(store.get(HOOKS)?.webhooks, [{ name: "slot", x: 2 }]);
});
