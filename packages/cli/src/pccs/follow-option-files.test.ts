import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { followOptionFiles } from "./follow-option-files.ts";

function files(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), "confcom-follow-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    return path;
  };
  return { path: (name: string) => join(directory, name), write };
}

async function until(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 500 && !holds(); n++) await sleep(10);
  assert.ok(holds());
}

test("two files that belong together are taken once they fit, and what fails meanwhile is said once", async (t) => {
  const { path, write } = files(t);
  const lines: string[] = [];
  const log = { info: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
  write("certificate", "1");
  write("key", "1");
  let force = "";
  const read = () => {
    const [certificate, key] = [readFileSync(path("certificate"), "utf8"), readFileSync(path("key"), "utf8")];
    if (certificate !== key) throw new Error("they do not fit");
    force = certificate;
  };
  const paths = [path("certificate"), path("key"), undefined];
  const end = followOptionFiles([{ what: "TLS certificate", paths, read }], log as never, 5);
  t.after(end);
  await until(() => force === "1");
  write("certificate", "2");
  await until(() => lines.length > 0);
  assert.equal(force, "1");
  write("key", "2");
  await until(() => force === "2" && lines.some((line) => line.includes("certificate changed: TLS")));
  assert.equal(lines.filter((line) => line === "kept the TLS certificate in force: they do not fit").length, 1);
});

test("a file that comes later, and one that goes away, leave the rest as it is", async (t) => {
  const { path, write } = files(t);
  let reads = 0;
  const log = { info: () => {}, error: () => {} };
  const read = () => {
    reads++;
  };
  const end = followOptionFiles([{ what: "tokens", paths: [path("tokens")], read }], log as never, 5);
  t.after(end);
  await sleep(50);
  assert.equal(reads, 0);
  write("tokens", "a");
  await until(() => reads === 1);
  rmSync(path("tokens"));
  await sleep(50);
  assert.equal(reads, 1);
});
