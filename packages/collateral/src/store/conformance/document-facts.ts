import assert from "node:assert/strict";
import { test } from "node:test";
import type { CollateralStore, IdentityKey, StoreChange, StoredCrl, TcbInfoKey } from "../store.ts";
import { crl, json } from "./sample-rows.ts";
import type { WithStore } from "./with-store.ts";

const TCB_INFO: TcbInfoKey = { tee: "sgx", fmspc: "00A067110000", version: 4, update: "standard" };
const IDENTITY: IdentityKey = { id: "QE", version: 4, update: "standard" };

const TCB_INFO_KEYS: readonly TcbInfoKey[] = [
  TCB_INFO,
  { ...TCB_INFO, tee: "tdx" },
  { ...TCB_INFO, fmspc: "00A067110001" },
  { ...TCB_INFO, version: 3 },
  { ...TCB_INFO, update: "early" },
];
const IDENTITY_KEYS: readonly IdentityKey[] = [
  IDENTITY,
  { ...IDENTITY, id: "TD_QE" },
  { ...IDENTITY, id: "QVE" },
  { ...IDENTITY, version: 3 },
  { ...IDENTITY, update: "early" },
];

/** Every kind of document that has times: how it is put, how it is read. */
const DATED: Readonly<
  Record<
    string,
    { put(day: number): StoreChange; read(store: CollateralStore): unknown; expected(day: number): unknown }
  >
> = {
  "a PCK CRL": {
    put: (day) => ({ put: "pck-crl", ca: "platform", crl: crl(day) }),
    read: (store) => store.pckCrl("platform"),
    expected: crl,
  },
  "the root CA's CRL": {
    put: (day) => ({ put: "root-ca-crl", crl: crl(day) }),
    read: (store) => store.rootCaCrl(),
    expected: crl,
  },
  "a CRL by its distribution point": {
    put: (day) => ({ put: "crl", url: "https://crl.example/a.der", crl: crl(day) }),
    read: (store) => store.crl("https://crl.example/a.der"),
    expected: crl,
  },
  "TCB info": {
    put: (day) => ({ put: "tcb-info", key: TCB_INFO, json: json(day) }),
    read: (store) => store.tcbInfo(TCB_INFO),
    expected: (day) => json(day),
  },
  "an identity": {
    put: (day) => ({ put: "identity", key: IDENTITY, json: json(day) }),
    read: (store) => store.identity(IDENTITY),
    expected: (day) => json(day),
  },
};

export function documentFacts(name: string, withStore: WithStore): void {
  for (const [kind, { put, read, expected }] of Object.entries(DATED)) {
    test(`${name}: ${kind} is read as it was written, and not there before`, () =>
      withStore(async (store) => {
        assert.equal(await read(store), undefined);
        await store.write([put(1)]);
        assert.deepEqual(plain(await read(store)), expected(1));
      }));

    test(`${name}: ${kind} is replaced by one issued later or at the same time, never by one issued before`, () =>
      withStore(async (store) => {
        await store.write([put(5)]);
        await store.write([put(4)]);
        assert.deepEqual(plain(await read(store)), expected(5));
        await store.write([put(6)]);
        assert.deepEqual(plain(await read(store)), expected(6));
        // The same within one batch, whatever the order.
        await store.write([put(8), put(7)]);
        assert.deepEqual(plain(await read(store)), expected(8));
      }));
  }

  test(`${name}: a document issued at the same moment replaces the other`, () =>
    withStore(async (store) => {
      await store.write([{ put: "tcb-info", key: TCB_INFO, json: json(1, "a") }]);
      await store.write([{ put: "tcb-info", key: TCB_INFO, json: json(1, "b") }]);
      assert.equal((await store.tcbInfo(TCB_INFO))?.body, "b");
    }));

  test(`${name}: every part of a document's key tells documents apart`, () =>
    withStore(async (store) => {
      await store.write([
        ...TCB_INFO_KEYS.map((key, n) => ({ put: "tcb-info", key, json: json(n) }) as const),
        ...IDENTITY_KEYS.map((key, n) => ({ put: "identity", key, json: json(n) }) as const),
        { put: "pck-crl", ca: "platform", crl: crl(1) },
        { put: "pck-crl", ca: "processor", crl: crl(2) },
        { put: "crl", url: "https://crl.example/1", crl: crl(3) },
        { put: "crl", url: "https://crl.example/2", crl: crl(4) },
        { put: "root-ca-crl", crl: crl(5) },
      ]);
      for (const [n, key] of TCB_INFO_KEYS.entries()) assert.deepEqual(await store.tcbInfo(key), json(n));
      for (const [n, key] of IDENTITY_KEYS.entries()) assert.deepEqual(await store.identity(key), json(n));
      assert.deepEqual(plain(await store.pckCrl("platform")), crl(1));
      assert.deepEqual(plain(await store.pckCrl("processor")), crl(2));
      assert.deepEqual(plain(await store.crl("https://crl.example/1")), crl(3));
      assert.deepEqual(plain(await store.crl("https://crl.example/2")), crl(4));
      assert.deepEqual(plain(await store.rootCaCrl()), crl(5));
      assert.deepEqual(sorted(await store.tcbInfoKeys()), sorted(TCB_INFO_KEYS));
      assert.deepEqual(sorted(await store.identityKeys()), sorted(IDENTITY_KEYS));
      assert.deepEqual([...(await store.crlUrls())].sort(), ["https://crl.example/1", "https://crl.example/2"]);
    }));

  test(`${name}: texts and bytes survive as they are: empty, long, beyond ASCII, a megabyte of CRL`, () =>
    withStore(async (store) => {
      const odd = json(1, `{"a":"\u00e9\u{1f512}\\u0000","b":" ' \\" ; DROP TABLE x --"}\n${"x".repeat(500_000)}`);
      const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31) % 256);
      await store.write([
        { put: "tcb-info", key: TCB_INFO, json: odd },
        { put: "identity", key: IDENTITY, json: { body: "", issuerChain: "", issued: 0, nextUpdate: 0 } },
        { put: "root-ca-crl", crl: { crl: bytes, issuerChain: "", issued: 1, nextUpdate: 2 } },
        { put: "crl", url: `https://crl.example/?${"é'".repeat(900)}`, crl: { ...crl(1), crl: new Uint8Array(0) } },
      ]);
      assert.deepEqual(await store.tcbInfo(TCB_INFO), odd);
      assert.deepEqual(await store.identity(IDENTITY), { body: "", issuerChain: "", issued: 0, nextUpdate: 0 });
      const root = await store.rootCaCrl();
      assert.ok(root !== undefined && Buffer.compare(root.crl, bytes) === 0);
      assert.equal((await store.crl(`https://crl.example/?${"é'".repeat(900)}`))?.crl.length, 0);
    }));

  test(`${name}: a PCK chain is replaced by the next`, () =>
    withStore(async (store) => {
      assert.equal(await store.pckChain("processor"), undefined);
      await store.write([{ put: "pck-chain", ca: "processor", issuerChain: "one" }]);
      await store.write([{ put: "pck-chain", ca: "processor", issuerChain: "two" }]);
      assert.equal(await store.pckChain("processor"), "two");
      assert.equal(await store.pckChain("platform"), undefined);
    }));

  test(`${name}: policies are those of an FMSPC`, () =>
    withStore(async (store) => {
      const policy = { id: "A".repeat(96), type: 1, policy: "a.b.c", isDefault: true, fmspc: "00A067110000" };
      const other = { ...policy, id: "B".repeat(96), fmspc: "00A067110001", isDefault: false };
      await store.write([
        { put: "policy", policy },
        { put: "policy", policy: other },
      ]);
      assert.deepEqual(await store.policies(policy.fmspc), [policy]);
      assert.deepEqual(await store.policies(other.fmspc), [other]);
      assert.deepEqual(await store.policies("000000000000"), []);
      await store.write([{ put: "policy", policy: { ...policy, isDefault: false } }]);
      assert.deepEqual(await store.policies(policy.fmspc), [{ ...policy, isDefault: false }]);
    }));

  test(`${name}: an FMSPC has one default policy, the last that was written, however many come at once`, () =>
    withStore(async (store) => {
      const policy = (id: string, fmspc = "00A067110000") => {
        return { id: id.repeat(96), type: 1, policy: `${id}.b.c`, isDefault: true, fmspc };
      };
      const elsewhere = policy("F", "00A067110001");
      await store.write([policy("A"), policy("B"), elsewhere].map((of) => ({ put: "policy", policy: of })));
      const defaults = async () => (await store.policies("00A067110000")).filter(({ isDefault }) => isDefault);
      assert.deepEqual(await defaults(), [policy("B")]);
      await store.write([{ put: "policy", policy: policy("C") }]);
      assert.deepEqual(await defaults(), [policy("C")]);
      const other = { ...policy("D"), isDefault: false };
      await store.write([{ put: "policy", policy: other }]);
      assert.deepEqual(await defaults(), [policy("C")]);
      await Promise.all(["A", "D", "E"].map((id) => store.write([{ put: "policy", policy: policy(id) }])));
      assert.equal((await defaults()).length, 1);
      assert.equal((await store.policies("00A067110000")).length, 5);
      assert.deepEqual(await store.policies("00A067110001"), [elsewhere]);
    }));
}

/** A store may give a Buffer for bytes: it is a Uint8Array too. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("crl" in value)) return value;
  const document = value as StoredCrl;
  return { ...document, crl: new Uint8Array(document.crl) };
}

function sorted(keys: readonly object[]): string[] {
  return keys.map((key) => JSON.stringify(Object.entries(key).sort())).sort();
}
