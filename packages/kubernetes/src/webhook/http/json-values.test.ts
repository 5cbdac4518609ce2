import assert from "node:assert/strict";
import { test } from "node:test";
import { moreValuesThan } from "./json-values.ts";

const more = (limit: number, text: string): boolean => moreValuesThan(limit, Buffer.from(text));

test("each value counts, in lists, in maps and inside of each other", () => {
  for (const [text, count] of [
    ["[1,2,3]", 4],
    ['{"a":1,"b":{"c":[]}}', 5],
    ["[[[[[[]]]]]]", 7],
    ["[{},{},{}]", 7],
  ] as const) {
    assert.equal(more(count - 1, text), true, text);
    assert.equal(more(count, text), false, text);
  }
});

test("what stands in a string does not count, whatever is escaped there", () => {
  assert.equal(more(3, '["[,{[,{[,{[,{", "\\"[,{\\\\"]'), false);
  assert.equal(more(3, '["\\\\",1,2,3,4,5,6,7]'), true, "the string ends at its quote");
});

test("what is no JSON ends the count too", () => {
  for (const text of ['"never closed [[[[[[[[[[', '["\\', '"\\"', ",".repeat(3)]) more(2, text);
});
