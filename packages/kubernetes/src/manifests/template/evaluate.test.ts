import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluate } from "./evaluate.ts";
import {
  all,
  each,
  equals,
  isEmpty,
  isSet,
  item,
  merge,
  not,
  orElse,
  product,
  symbolicValues,
  text,
  version,
  when,
} from "./language.ts";

interface Values {
  readonly name: string;
  readonly image: string | null;
  readonly workers: number;
  readonly on: boolean;
  readonly secrets: readonly string[];
  readonly resources: { readonly limits: Readonly<Record<string, string>> };
}
const given: Values = {
  name: "a",
  image: null,
  workers: 2,
  on: false,
  secrets: ["x", "y"],
  resources: { limits: { memory: "1Mi" } },
};
const v = symbolicValues<Values>();
const value = (template: Parameters<typeof evaluate>[0], values: Partial<Values> = {}) =>
  evaluate(template, { values: { ...given, ...values }, version: "1.2.3" });

test("values, text, products and defaults", () => {
  assert.deepEqual(value({ name: v.name, args: [text`--workers=${v.workers}`, text`${v.name}:${version}`] }), {
    name: "a",
    args: ["--workers=2", "a:1.2.3"],
  });
  assert.equal(value(product(v.workers, 1 << 20)), "2097152");
  assert.equal(value(orElse(v.image, text`localhost/confcom:${version}`)), "localhost/confcom:1.2.3");
  assert.equal(value(orElse(v.image, "x"), { image: "y" }), "y");
});

test("what a condition leaves out is not there, as a key and as an element", () => {
  const template = {
    a: when(v.on, 1),
    b: [when(v.on, "on", "off"), when(isSet(v.image), v.image)],
    c: when(not(v.on), 3),
  };
  assert.deepEqual(value(template), { b: ["off"], c: 3 });
  assert.deepEqual(value(template, { on: true, image: "i" }), { a: 1, b: ["on", "i"] });
  assert.deepEqual(value([when(all(v.on, equals(v.workers, 2)), 1)], { on: true }), [1]);
  assert.deepEqual(value([when(isEmpty(v.image), "null is empty")]), ["null is empty"]);
  assert.deepEqual(value([when(isEmpty(v.secrets), 1), when(not(isEmpty(v.secrets)), 2)]), [2]);
});

test("lists of lists, and maps of which the last one counts", () => {
  assert.deepEqual(value(each<{ name: string }>(v.secrets, { name: item })), [{ name: "x" }, { name: "y" }]);
  assert.deepEqual(
    value(merge<object>(v.resources.limits, { memory: "2Mi", epc: "1" }, when(v.on, { memory: "3Mi" }))),
    {
      memory: "2Mi",
      epc: "1",
    },
  );
});

test("a name that is no value is an error, not an empty text", () => {
  assert.throws(() => value((v as unknown as { absent: typeof v.name }).absent), /no value absent/);
});
