import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeStateRecord, encodeStateRecord } from "./state-record.ts";

test("what is encoded is decoded, under the kind it was encoded as and no other", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.jsonValue(), (kind, other, value) => {
      const content: unknown = JSON.parse(JSON.stringify(value));
      const bytes = encodeStateRecord(kind, content);
      assert.deepEqual(decodeStateRecord(kind, bytes), content);
      if (other !== kind) assert.equal(decodeStateRecord(other, bytes), undefined);
    }),
  );
});

test("every single flipped bit is noticed", () => {
  const bytes = encodeStateRecord("kind", { number: 7, list: ["a", { b: "ü" }] });
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const bad = bytes.slice();
    bad[bit >> 3] = (bad[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.equal(decodeStateRecord("kind", bad), undefined, `bit ${bit}`);
  }
});

test("bytes of any other origin are no record", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => new TextEncoder().encode(text)),
      ),
      (bytes) => {
        assert.equal(decodeStateRecord("kind", bytes), undefined);
      },
    ),
  );
});
