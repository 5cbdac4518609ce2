import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseQuantity, sameQuantity } from "./quantity.ts";

const UNIT = 1_000_000_000n;

test("quantities of every form have their value", () => {
  const cases: readonly (readonly [string, bigint])[] = [
    ["0", 0n],
    ["8192", 8192n * UNIT],
    ["100k", 100_000n * UNIT],
    ["1e5", 100_000n * UNIT],
    ["1E5", 100_000n * UNIT],
    ["1E", 10n ** 18n * UNIT],
    ["64Gi", 68_719_476_736n * UNIT],
    ["1.5Ki", 1536n * UNIT],
    ["100m", UNIT / 10n],
    [".5", UNIT / 2n],
    ["5.", 5n * UNIT],
    ["1n", 1n],
    ["0.1n", 1n],
    ["-2", -2n * UNIT],
    ["+2", 2n * UNIT],
  ];
  for (const [text, value] of cases) assert.equal(parseQuantity(text), value, text);
});

test("anything else is no quantity", () => {
  for (const text of [
    "",
    " ",
    ".",
    "-",
    "k",
    "1kk",
    "1 k",
    "0x10",
    "1e",
    "1e100",
    "1Ki2",
    "NaN",
    "1_0",
    "1".repeat(65),
  ]) {
    assert.equal(parseQuantity(text), undefined, text);
  }
});

test("a whole number equals its canonical spellings and no other number", () => {
  fc.assert(
    fc.property(fc.nat({ max: 1_000_000 }), (n) => {
      assert.ok(sameQuantity(String(n * 1000), `${n}k`));
      assert.ok(sameQuantity(String(n * 1024), `${n}Ki`));
      assert.ok(!sameQuantity(String(n), String(n + 1)));
    }),
  );
});
