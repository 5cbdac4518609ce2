import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { StoreChange } from "../store.ts";
import { decodeChange, encodeChange } from "./change-message.ts";

const crlName = (url: string) => `url/${url.length}`;
const key = { qeId: "AB", pceId: "0000" };
const times = { issued: 1, nextUpdate: 2, issuerChain: "" };

const EVERY_KIND: readonly StoreChange[] = [
  { put: "platform", platform: { ...key, platformManifest: "m", encryptedPpid: "p", fmspc: "f", ca: "platform" } },
  { put: "platform-tcb", key: { ...key, cpuSvn: "c", pceSvn: "s" }, tcbm: "t" },
  { put: "pck-certificate", key, certificate: { tcbm: "t", certificate: "x" } },
  { drop: "pck-certificates", key },
  { put: "pck-chain", ca: "processor", issuerChain: "x" },
  { put: "pck-crl", ca: "platform", crl: { crl: new Uint8Array(3), ...times } },
  { put: "root-ca-crl", crl: { crl: new Uint8Array(3), ...times } },
  { put: "crl", url: "https://crl.example", crl: { crl: new Uint8Array(3), ...times } },
  { put: "tcb-info", key: { tee: "tdx", fmspc: "f", version: 4, update: "early" }, json: { body: "b", ...times } },
  { put: "identity", key: { id: "TD_QE", version: 3, update: "standard" }, json: { body: "b", ...times } },
  {
    put: "registration",
    registration: { ...key, cpuSvn: "c", pceSvn: "s", encryptedPpid: "", platformManifest: "", state: "new" },
  },
  { put: "policy", policy: { id: "i", type: 1, policy: "p", isDefault: true, fmspc: "f" } },
];

test("a message names each thing once, and nothing of its contents", () => {
  const text = encodeChange("me", EVERY_KIND, crlName);
  assert.deepEqual(decodeChange(text), {
    instance: "me",
    things: [
      { kind: "platform", key: ["AB", "0000"] },
      { kind: "chain", key: ["processor"] },
      { kind: "crl", key: ["pck/platform"] },
      { kind: "crl", key: ["root"] },
      { kind: "crl", key: ["url/19"] },
      { kind: "tcb-info", key: ["tdx", "f", "4", "early"] },
      { kind: "identity", key: ["TD_QE", "3", "standard"] },
      { kind: "registration", key: ["AB", "0000", "c", "s"] },
      { kind: "policies", key: ["f"] },
    ],
  });
});

test("what is too many or too long for a notification is anything", () => {
  const platforms = (count: number, length: number): StoreChange[] =>
    Array.from({ length: count }, (_, n) => ({
      drop: "pck-certificates",
      key: { qeId: `${n}`.padStart(length, "0"), pceId: "0000" },
    }));
  for (const changes of [platforms(33, 32), platforms(32, 260), platforms(100_000, 32)]) {
    const text = encodeChange("me", changes, crlName);
    assert.ok(Buffer.byteLength(text) < 8000);
    assert.deepEqual(decodeChange(text), { instance: "me", things: undefined });
  }
  assert.equal(decodeChange(encodeChange("me", platforms(20, 260), crlName)) !== undefined, true);
});

test("any message of another kind or version is anything, never a failure", () => {
  for (const text of ["", "{", "null", "[]", "{}", '{"instance":1}', '{"things":[["platform","A","B"]]}']) {
    assert.equal(decodeChange(text), undefined, text);
  }
  for (const things of [
    '[["platform","A"]]',
    '[["new kind","A"]]',
    '[["toString","A"]]',
    "[7]",
    '[["chain",1]]',
    "{}",
  ]) {
    assert.deepEqual(decodeChange(`{"instance":"x","things":${things}}`), { instance: "x", things: undefined });
  }
  assert.deepEqual(decodeChange('{"schema":3}'), { schema: 3 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      decodeChange(text);
    }),
  );
});
