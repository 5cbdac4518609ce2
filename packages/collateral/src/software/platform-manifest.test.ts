import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { toHex } from "@confcom/sgx";
import fc from "fast-check";
import {
  decodePlatformManifest,
  encodePlatformManifest,
  MAX_MANIFEST_DIGITS,
  MAX_MANIFEST_KEYS,
} from "./platform-manifest.ts";
import { pckKey, TestPlatform } from "./testing/software-keys.ts";

const PLATFORM = new TestPlatform(0x5a, { default: "pck default", downgraded: "pck downgraded" });
const refusedBecause = (message: RegExp) => ({ code: "SOURCE_REFUSED", status: 400, message });

test("a manifest is laid out as documented, and what is signed is the same for ever", () => {
  const text = PLATFORM.manifest;
  assert.equal(text.length, 2 * (44 + 2 * 82 + 2 * 64));
  const signed = text.slice(0, 2 * (44 + 2 * 82));
  assert.equal(Buffer.from(signed.slice(0, 32), "hex").toString(), "confcom platform");
  assert.equal(signed.slice(32, 56), `${"00".repeat(8)}01000200`);
  assert.equal(signed.slice(56, 88), "5A".repeat(16));
  assert.equal(signed.slice(88, 124), "4820F3376AE6B2F2034D3B7A4B48A7781000");
  assert.equal(signed.slice(124, 252), toHex(pckKey("pck default").point).toUpperCase());
  assert.equal(
    createHash("sha256").update(signed).digest("hex"),
    "6f81b2e1a115d5d5ccb1430455993c094f1b01735a377223da94dbc48222cebd",
  );
});

test("what was encoded is decoded, whatever PPID and however many keys, in either case of hexadecimal", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.uniqueArray(fc.tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(65535)), {
        minLength: 1,
        maxLength: MAX_MANIFEST_KEYS,
        selector: ([cpuSvn, pceSvn]) => `${toHex(cpuSvn)}${pceSvn}`,
      }),
      fc.boolean(),
      (ppid, tcbs, lower) => {
        const { point } = pckKey("pck default");
        const keys = tcbs.map(([cpuSvn, pceSvn]) => ({ cpuSvn, pceSvn, pckPublicKey: point }));
        const proveKey = (_: unknown, statement: Uint8Array) =>
          PLATFORM.proveKey(PLATFORM.keys[0] as (typeof keys)[0], statement);
        const text = encodePlatformManifest(ppid, { keys, proveKey });
        assert.ok(text.length <= MAX_MANIFEST_DIGITS);
        assert.deepEqual(decodePlatformManifest(lower ? text.toLowerCase() : text), { ppid, keys });
      },
    ),
    { numRuns: 20 },
  );
});

test("a manifest with any one bit changed is refused", () => {
  const good = Buffer.from(PLATFORM.manifest, "hex");
  fc.assert(
    fc.property(fc.nat(good.length * 8 - 1), (bit) => {
      const bad = Buffer.from(good);
      bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.throws(() => decodePlatformManifest(bad.toString("hex")), { code: "SOURCE_REFUSED" });
    }),
    { numRuns: 300 },
  );
});

test("a manifest cut short or with something behind it is refused", () => {
  const good = PLATFORM.manifest;
  fc.assert(
    fc.property(fc.nat(good.length - 1), (length) => {
      assert.throws(() => decodePlatformManifest(good.slice(0, length)), { code: "SOURCE_REFUSED" });
    }),
  );
  assert.throws(() => decodePlatformManifest(`${good}00`), refusedBecause(/has \d+ bytes; with 2 keys it has/));
});

test("any text is decoded or refused by name, and a long one at once", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 400 }), (text) => {
      assert.throws(() => decodePlatformManifest(text), { name: "CollateralError", code: "SOURCE_REFUSED" });
    }),
  );
  assert.throws(() => decodePlatformManifest("00".repeat(50_000_000)), refusedBecause(/longer than/));
});

test("each kind of wrong manifest is told by its own words", () => {
  const bytes = () => Buffer.from(PLATFORM.manifest, "hex");
  const changed = (change: (manifest: Buffer) => void) => {
    const manifest = bytes();
    change(manifest);
    return manifest.toString("hex");
  };
  const twice = new TestPlatform(1, { default: "a" });
  const key = twice.keys[0] as (typeof twice.keys)[0];
  for (const [text, message] of [
    ["zz", /is not hexadecimal/],
    ["0", /is not hexadecimal/],
    ["", /does not begin with "confcom platform"/],
    [changed((m) => m.writeUInt16LE(2, 24)), /is of version 2/],
    [changed((m) => m.writeUInt16LE(0, 26)), /has 0 keys/],
    [changed((m) => m.writeUInt16LE(17, 26)), /has 17 keys/],
    [changed((m) => m.fill(1, 62, 126)), /no point of P-256/],
    [changed((m) => m.fill(0, 208)), /does not prove possession of its key 1/],
    [changed((m) => m.copy(m, 272, 208, 272)), /does not prove possession of its key 2/],
    [encodePlatformManifest(twice.ppid, { keys: [key, key], proveKey: twice.proveKey }), /names one TCB twice/],
  ] as const) {
    assert.throws(() => decodePlatformManifest(text), refusedBecause(message));
  }
});

test("the proofs of one platform do not pass for another PPID", () => {
  const stolen = Buffer.from(PLATFORM.manifest, "hex");
  stolen.fill(0x66, 28, 44);
  assert.throws(() => decodePlatformManifest(stolen.toString("hex")), refusedBecause(/does not prove possession/));
});

test("no manifest's signed part is as long as a report's body", () => {
  for (let keys = 1; keys <= MAX_MANIFEST_KEYS; keys++) assert.notEqual(44 + 82 * keys, 384);
});
