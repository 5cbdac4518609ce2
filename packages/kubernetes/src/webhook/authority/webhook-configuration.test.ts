import assert from "node:assert/strict";
import { test } from "node:test";
import { createAuthority } from "../../tls-authority/index.ts";
import { readAuthorityCertificate } from "./authority-certificate.ts";
import { allTrust, bundlesToApply, readWebhookBundles, trustExactly } from "./webhook-configuration.ts";

const validity = { notBefore: new Date(1_790_000_000_000), notAfter: new Date(1_800_000_000_000) };
const make = async (commonName: string) =>
  readAuthorityCertificate((await createAuthority({ commonName, ...validity })).certificate);
const [one, two] = [await make("one"), await make("two")];
const encoded = (...authorities: { certificate: string }[]) =>
  Buffer.from(authorities.map(({ certificate }) => certificate).join("")).toString("base64");
const entry = (name: unknown, caBundle?: unknown) => ({ name, clientConfig: { caBundle } });

test("an authority is trusted only where every entry has it; the order in a caBundle means nothing", () => {
  const bundles = readWebhookBundles({ webhooks: [entry("slot", encoded(one, two)), entry("mount", encoded(two))] });
  assert.deepEqual([allTrust(bundles, one.fingerprint), allTrust(bundles, two.fingerprint)], [false, true]);
  const both = readWebhookBundles({ webhooks: [entry("slot", encoded(one, two, one))] });
  assert.ok(trustExactly(both, [two, one]));
  assert.ok(!trustExactly(both, [two]));
});

test("what cannot be read is no entry, or one without a caBundle; nothing throws", () => {
  for (const body of [undefined, null, 7, "x", [], {}, { webhooks: 7 }, { webhooks: [null, 7, "x", entry(7), {}] }]) {
    const bundles = readWebhookBundles(body);
    assert.equal(bundles.entries.size, 0);
    assert.ok(!allTrust(bundles, one.fingerprint));
  }
  const leaf = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  for (const caBundle of [
    undefined,
    null,
    7,
    "",
    "%%%",
    encoded({ certificate: leaf }),
    encoded(one, { certificate: "x" }),
  ]) {
    assert.deepEqual([...readWebhookBundles({ webhooks: [entry("slot", caBundle)] }).entries], [["slot", undefined]]);
  }
  assert.deepEqual(
    [...readWebhookBundles({ webhooks: [{ name: "slot", clientConfig: null }] }).entries],
    [["slot", undefined]],
  );
});

test("a caBundle of more authorities than are looked at, and one without end, are as good as none", () => {
  for (const caBundle of [encoded(...Array(17).fill(one)), "A".repeat(1 << 20)]) {
    assert.deepEqual([...readWebhookBundles({ webhooks: [entry("slot", caBundle)] }).entries], [["slot", undefined]]);
  }
});

test("what is applied names the entries and their caBundle, and nothing else of them", () => {
  const bundles = readWebhookBundles({ webhooks: [entry("slot"), entry("mount")] });
  const { webhooks } = bundlesToApply("sgx-webhook", bundles, [one]) as { webhooks: object[] };
  assert.deepEqual(webhooks, [
    { name: "slot", clientConfig: { caBundle: encoded(one) } },
    { name: "mount", clientConfig: { caBundle: encoded(one) } },
  ]);
});
