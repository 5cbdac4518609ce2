import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProviderEvent } from "@confcom/collateral";
import { HeldWarnings } from "./held-warnings.ts";

const FAILED = { kind: "failed", message: "PCCS says no" } as ProviderEvent;

function said(sources: number, failure?: unknown): string[] {
  const lines: string[] = [];
  const warnings = new HeldWarnings(sources, (line) => lines.push(line));
  warnings.event(FAILED, "warning: PCCS says no");
  warnings.end(failure);
  return lines;
}

test("the cause that the command's own error names is not said before too; any other is", () => {
  assert.deepEqual(said(1, new Error("it cannot be had: PCCS says no")), []);
  assert.deepEqual(said(1, new Error("the time is over")), ["warning: PCCS says no"]);
  assert.deepEqual(said(1), ["warning: PCCS says no"]);
  assert.deepEqual(said(2, new Error("PCCS says no")), ["warning: PCCS says no"]);
});
