import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { refuseSwollenJson } from "./json-shape.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("JSON of any content passes, whatever its strings hold", () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 8 }), (value) => refuseSwollenJson(bytes(JSON.stringify(value)))));
  refuseSwollenJson(bytes(`["${"[".repeat(1000)}", "\\"${"{,".repeat(1000)}"]`));
  for (const broken of ['"', '"\\', "]]]]", ""]) refuseSwollenJson(bytes(broken));
});

test("what nests deeply or is made of tiny values is refused before it is parsed", () => {
  refuseSwollenJson(bytes("[".repeat(64)));
  assert.throws(() => refuseSwollenJson(bytes("[".repeat(65))), { status: 400 });
  assert.throws(() => refuseSwollenJson(bytes('{"a":'.repeat(65))), { status: 400 });
  assert.throws(() => refuseSwollenJson(bytes("{},".repeat(5_000_001))), { status: 400 });
  assert.throws(() => refuseSwollenJson(bytes("0,".repeat(10_000_001))), { status: 400 });
});
