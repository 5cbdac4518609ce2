import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { INTEL_SGX_ROOT_KEY, trustedRootFromCertificate } from "@confcom/verify";
import { openState, systemRandom } from "../../quote-helper/state.ts";
import { type PreparedFiles, preparedFiles } from "../prepare/prepared-files.ts";
import { ensureRegistrationToken } from "../prepare/registration-token.ts";
import { ensureTlsFiles } from "../prepare/tls-files.ts";
import { INTEL_SGX_ROOT_CERTIFICATE } from "./intel-root.ts";
import { type StateMaterialOptions, stateMaterial } from "./state-material.ts";

const DAY = 86_400_000;
const START = Date.parse("2026-11-21T12:00:00Z");

async function prepared(t: TestContext, more: Partial<StateMaterialOptions> = {}) {
  const stateDirectory = mkdtempSync(join(tmpdir(), "confcom-material-"));
  t.after(() => rmSync(stateDirectory, { recursive: true }));
  const files = preparedFiles(stateDirectory);
  const clock = { days: 0 };
  const now = () => new Date(START + clock.days * DAY);
  const warn = () => {};
  const names = { dnsNames: ["sgx-pccs"], ipAddresses: [] };
  await ensureTlsFiles({ state: openState(files.tls, warn), names, now: now(), warn });
  ensureRegistrationToken({ state: openState(files.registration, warn), now: now(), random: systemRandom, warn });
  const renewed: Date[] = [];
  const read = stateMaterial({
    stateDirectory,
    upstream: "software",
    upstreamRoot: undefined,
    now,
    warn,
    renewed: ({ server }) => renewed.push(server.validToDate),
    ...more,
  });
  return { stateDirectory, files, clock, read, renewed };
}

function giveRoot(stateDirectory: string, pem: string): void {
  mkdirSync(join(stateDirectory, "software-authority"), { mode: 0o700 });
  writeFileSync(join(stateDirectory, "software-authority", "root-ca.pem"), pem);
}

const text = (path: string) => readFileSync(path, "utf8");
const shownToken = ({ userToken }: PreparedFiles) => text(userToken).trim();

test("what is to be published is the authority's root, the TLS authority and the token", async (t) => {
  const { stateDirectory, files, read } = await prepared(t);
  await assert.rejects(read(), { code: "PCCS_ROOT_AWAITED" });
  giveRoot(stateDirectory, "the root");
  assert.deepEqual(await read(), {
    rootCertificate: "the root",
    pccsCa: text(files.ca),
    userToken: shownToken(files),
    server: { names: ["sgx-pccs"], notAfter: new Date(START + 90 * DAY) },
  });
  writeFileSync(files.userToken, "another\n");
  assert.equal((await read()).userToken, "another");
});

test("behind Intel the root is Intel's, behind another service the one that was named", async (t) => {
  const { stateDirectory, read } = await prepared(t, { upstream: "intel" });
  assert.equal((await read()).rootCertificate, INTEL_SGX_ROOT_CERTIFICATE);
  assert.deepEqual(trustedRootFromCertificate(INTEL_SGX_ROOT_CERTIFICATE), INTEL_SGX_ROOT_KEY);
  const upstreamRoot = join(stateDirectory, "their-root.pem");
  const other = await prepared(t, { upstream: "https://pcs.example/", upstreamRoot });
  await assert.rejects(other.read(), { code: "PCCS_STATE_UNUSABLE", message: /their-root\.pem/ });
  writeFileSync(upstreamRoot, "theirs");
  assert.equal((await other.read()).rootCertificate, "theirs");
});

test("the server certificate is renewed when it is due, for the names it had, and nobody has to ask", async (t) => {
  const { stateDirectory, files, clock, read, renewed } = await prepared(t);
  giveRoot(stateDirectory, "the root");
  const [before, ca] = [text(files.server), text(files.ca)];
  clock.days = 59;
  await read();
  assert.equal(text(files.server), before);
  clock.days = 61;
  const { server } = await read();
  assert.notEqual(text(files.server), before);
  assert.equal(text(files.ca), ca);
  assert.deepEqual(server, { names: ["sgx-pccs"], notAfter: new Date(START + 151 * DAY) });
  assert.deepEqual(renewed, [new Date(START + 151 * DAY)]);
});

test("a directory that nobody prepared is left as it is", async (t) => {
  const stateDirectory = join(mkdtempSync(join(tmpdir(), "confcom-material-")), "state");
  t.after(() => rmSync(join(stateDirectory, ".."), { recursive: true }));
  const { read } = await prepared(t, { stateDirectory });
  await assert.rejects(read(), { code: "PCCS_STATE_UNUSABLE", message: /server\.pem is not there/ });
  assert.equal(existsSync(stateDirectory), false);
});
