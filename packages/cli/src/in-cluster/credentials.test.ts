import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { readCredentials } from "./credentials.ts";

const directory = mkdtempSync(join(tmpdir(), "confcom-credentials-"));
const path = (name: string) => join(directory, name);
after(() => rmSync(directory, { recursive: true, force: true }));

const file = (name: string, text: string): string => {
  writeFileSync(path(name), text);
  return path(name);
};
const caFile = file("ca.crt", "certificates\n");
const refused = (tokenFile: string, message: RegExp) =>
  assert.rejects(readCredentials({ tokenFile, caFile }), { message }, tokenFile);

test("token and certificates are read through the links that the kubelet makes, anew each time", async () => {
  file("first", "one\n");
  file("second", "two\n");
  symlinkSync("first", path("token"));
  const files = { tokenFile: path("token"), caFile };
  assert.deepEqual(await readCredentials(files), { token: "one", ca: "certificates\n" });
  rmSync(path("token"));
  symlinkSync("second", path("token"));
  assert.equal((await readCredentials(files)).token, "two");
});

test("a token that is missing, empty or no token is refused by its file's name", async () => {
  await refused(path("nowhere"), /ENOENT.*nowhere/);
  await refused(file("empty", " \n"), /empty is empty$/);
  await refused(file("two-lines", "a\r\nx-header: b\n"), /two-lines holds no token$/);
});

test("neither a directory nor a pipe without a writer is waited for", async () => {
  mkdirSync(path("directory"));
  await refused(path("directory"), /directory is not a file$/);
  execFileSync("mkfifo", [path("pipe")]);
  await refused(path("pipe"), /pipe is not a file$/);
});

test("of a huge file no more than 1 MiB is read", async () => {
  truncateSync(file("huge", ""), 2 ** 40);
  await refused(path("huge"), /huge is larger than 1048576 bytes$/);
});
