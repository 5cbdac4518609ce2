import assert from "node:assert/strict";

/**
 * RFC 6902 `add`, `remove` and `replace` as a strict server applies them: a parent must be there, and what is removed or
 * replaced must be there. Shares nothing with what makes the patches. Answers a changed copy.
 */
export function applyJsonPatch(document: unknown, patch: readonly unknown[]): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(document));
  for (const operation of patch) apply(copy, operation as Record<string, unknown>);
  return copy;
}

function apply(document: unknown, { op, path, value }: Record<string, unknown>): void {
  assert.ok(typeof path === "string" && path.startsWith("/"), `${path} is no pointer`);
  const steps = path
    .slice(1)
    .split("/")
    .map((step) => step.replace(/~1/g, "/").replace(/~0/g, "~"));
  const last = steps.pop() as string;
  let parent: unknown = document;
  for (const step of steps) {
    assert.ok(typeof parent === "object" && parent !== null && Object.hasOwn(parent, step), `${path}: no ${step}`);
    parent = (parent as Record<string, unknown>)[step];
  }
  if (Array.isArray(parent)) {
    if (op === "add") {
      const index = last === "-" ? parent.length : Number(last);
      assert.ok(Number.isInteger(index) && index >= 0 && index <= parent.length, `${path}: no such place`);
      parent.splice(index, 0, value);
    } else assert.fail(`${op} of a list's element`);
    return;
  }
  assert.ok(typeof parent === "object" && parent !== null, `${path}: no map`);
  const members = parent as Record<string, unknown>;
  if (op === "add") members[last] = value;
  else {
    assert.ok(Object.hasOwn(members, last), `${path}: not there`);
    if (op === "remove") delete members[last];
    else if (op === "replace") members[last] = value;
    else assert.fail(`unknown operation ${op}`);
  }
}
