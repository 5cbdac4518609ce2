import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CollateralError } from "@confcom/collateral";
import { SoftwareThread } from "./software-thread.ts";

const { signal } = new AbortController();

test("the authority answers from its thread, its refusals cross with code and status, and its end is said", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-software-thread-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const thread = await SoftwareThread.start(directory, () => {});
  assert.match(thread.rootCertificatePem, /^-----BEGIN CERTIFICATE-----/);
  assert.ok(thread.name.includes(directory));
  const { answer } = await thread.fetch({ kind: "pck-crl", ca: "platform" }, { signal });
  assert.ok(answer.crl instanceof Uint8Array && answer.crl.length > 100);
  await assert.rejects(thread.fetch({ kind: "crl", url: "https://elsewhere.example/" }, { signal }), {
    name: "CollateralError",
    code: "NOT_FOUND",
  });
  const bad = thread.pckCertificates({ platformManifest: "00" }, "0000", { signal });
  await assert.rejects(bad, (error) => error instanceof CollateralError && error.status === 400);
  await assert.rejects(thread.fetch({ kind: "root-ca-crl" }, { signal: AbortSignal.abort() }), {
    code: "SOURCE_TIMEOUT",
  });
  const cut = assert.rejects(thread.fetch({ kind: "root-ca-crl" }, { signal }), { code: "SOURCE_UNREACHABLE" });
  await thread.close();
  await cut;
  await assert.rejects(thread.fetch({ kind: "root-ca-crl" }, { signal }), { code: "SOURCE_UNREACHABLE" });
});

test("a directory that cannot be used fails as it would here", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "confcom-software-thread-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const link = join(directory, "link");
  symlinkSync(directory, link);
  await assert.rejects(
    SoftwareThread.start(link, () => {}),
    { name: "PlatformError", code: /^STATE_/ },
  );
});
