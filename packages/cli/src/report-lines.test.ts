import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkReportMac } from "@confcom/quoting/software";
import { toHex } from "@confcom/sgx";
import { checkReportLines } from "./report-lines.ts";
import { createDemoEnclave } from "./software-enclave.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-report-lines-"));
after(() => rmSync(directory, { recursive: true }));

const target = createDemoEnclave({ mrEnclave: new Uint8Array(32).fill(7) });
const report = createDemoEnclave().report(target.targetInfo, Uint8Array.of(1, 2, 3));
const line = (targetInfo: Uint8Array, bytes: Uint8Array) =>
  JSON.stringify({ targetInfo: toHex(targetInfo), report: toHex(bytes) });

function check(content: string): { allValid: boolean; printed: string[] } {
  const path = join(directory, "lines.jsonl");
  writeFileSync(path, content);
  const printed: string[] = [];
  return { allValid: checkReportLines(path, checkReportMac, (text) => printed.push(text)), printed };
}

test("each line is answered in order; blank lines are not lines", () => {
  const flipped = report.slice();
  flipped[431] = (flipped[431] as number) ^ 1;
  const { allValid, printed } = check(
    `${line(target.targetInfo, report)}\n\n${line(target.targetInfo, flipped)}\n${line(target.targetInfo, report)}`,
  );
  assert.equal(allValid, false);
  assert.deepEqual(printed, ['{"mac":"valid"}', '{"mac":"invalid"}', '{"mac":"valid"}']);
});

test("all valid is told from not all valid", () => {
  assert.equal(check(`${line(target.targetInfo, report)}\n`).allValid, true);
});

test("a line that is no report line is named", () => {
  for (const broken of ["{", "[]", '{"report":""}', line(target.targetInfo, report.subarray(1))]) {
    assert.throws(() => check(`${line(target.targetInfo, report)}\n${broken}`), {
      code: "CLI_INPUT_MALFORMED",
      message: /line 2/,
    });
  }
});
