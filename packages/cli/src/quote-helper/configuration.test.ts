import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { DEFAULT_LIMITS } from "@confcom/aesm";
import { readConfiguration } from "./configuration.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-configuration-"));
after(() => rmSync(directory, { recursive: true }));

function file(content: unknown): string {
  const path = join(directory, `${Math.abs(hash(JSON.stringify(content)))}.json`);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const hash = (text: string) => [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) | 0, 7);

test("without a file the documented defaults hold", () => {
  assert.deepEqual(readConfiguration(undefined, undefined), {
    logLevel: "info",
    limits: DEFAULT_LIMITS,
    spareLoops: true,
  });
});

test("a file changes what it names and leaves the rest", () => {
  const path = file({ logLevel: "warn", limits: { answerTimeout: 5000 }, spareLoops: false });
  assert.deepEqual(readConfiguration(path, undefined), {
    logLevel: "warn",
    limits: { ...DEFAULT_LIMITS, answerTimeout: 5000 },
    spareLoops: false,
  });
});

test("a file names the PCCS that certifies the platform", () => {
  const pccs = { url: "https://pccs.test:8081", root: "/etc/root.pem", ca: "/etc/ca.pem", userTokenFile: "/etc/token" };
  assert.deepEqual(readConfiguration(file({ pccs }), undefined).pccs, pccs);
});

test("the command line's log level wins over the file's", () => {
  assert.equal(readConfiguration(file({ logLevel: "warn" }), "debug").logLevel, "debug");
});

test("anything misspelt, out of range or of another type is refused and named", () => {
  for (const [content, what] of [
    [{ loglevel: "info" }, /unknown key "loglevel"/],
    [{ spareLoops: 0 }, /spareLoops is true or false/],
    [{ logLevel: "loud" }, /logLevel is one of/],
    [{ limits: { answerTimout: 1 } }, /unknown limit "answerTimout"/],
    [{ limits: { answerTimeout: 0 } }, /limits.answerTimeout is a whole number/],
    [{ limits: { answerTimeout: "5000" } }, /limits.answerTimeout is a whole number/],
    [{ limits: { maxMessage: 1e12 } }, /limits.maxMessage is a whole number/],
    [{ pccs: "https://pccs.test" }, /pccs is not an object/],
    [{ pccs: { uri: "https://pccs.test" } }, /unknown key "pccs.uri"/],
    [{ pccs: { url: 8081 } }, /pccs.url is a text/],
    [{ limits: [] }, /limits is not an object/],
    [[], /not a JSON object/],
    ["{", /configuration/],
  ] as const) {
    assert.throws(() => readConfiguration(file(content), undefined), { code: "CLI_CONFIGURATION", message: what });
  }
});

test("a missing file is refused", () => {
  assert.throws(() => readConfiguration(join(directory, "absent"), undefined), { code: "CLI_CONFIGURATION" });
});
