import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AesmClient } from "@confcom/aesm";
import { openSoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID } from "@confcom/sgx";
import { openState, systemRandom } from "../state.ts";
import { type PccsSettings, pccsAccess } from "./pccs-settings.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "confcom-quote-helper-pccs-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const path = (name: string) => join(directory, name);

/** Nothing listens on port 1, and what is trusted there does not matter. */
const UNREACHABLE = "http://127.0.0.1:1";

/** A platform with its own authority and a key; its root certificate lies beside it as `root.pem`. */
async function embeddedPlatform(): Promise<{ pubKeyId: Uint8Array; root: string }> {
  const state = openState(path("state"), () => {});
  const platform = await openSoftwarePlatform({ state, now: () => new Date(), random: systemRandom });
  const { pubKeyId } = await platform.initQuote(ECDSA_P256_KEY_ID);
  const root = platform.authority.rootCertificatePem;
  await platform.close();
  writeFileSync(path("root.pem"), root);
  return { pubKeyId, root };
}

/** Starts a helper, hands over its ready line, and gives its log once it has ended. */
async function withHelper(
  args: readonly string[],
  body: (health: string) => Promise<void>,
): Promise<{ readonly status: number | null; readonly log: string }> {
  const common = ["--socket", path("aesm.socket"), "--state", path("state"), "--workers", "1", "--json"];
  const child = spawn(process.execPath, [MAIN, "quote-helper", ...common, "--health-listen", "127.0.0.1:0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += String(chunk);
  });
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const { health } = JSON.parse(line) as { health: { host: string; port: number } };
      await body(`http://${health.host}:${health.port}`);
      break;
    }
  } finally {
    child.kill("SIGTERM");
  }
  return { status: await closed, log };
}

test("a helper whose PCCS is away serves all the same and says why it is not ready: wire, log, /readyz, /status, /metrics; back on its own CA it has the same key", async () => {
  const { pubKeyId } = await embeddedPlatform();
  const away = await withHelper(["--pccs", UNREACHABLE, "--pccs-root", path("root.pem")], async (health) => {
    const client = new AesmClient({ socketPath: path("aesm.socket") });
    await assert.rejects(client.initQuote(undefined, { pubKeyIdSize: 32 }), /NETWORK_ERROR/);
    const ready = await fetch(`${health}/readyz`);
    assert.equal(ready.status, 503);
    assert.match(
      await ready.text(),
      /PCCS at http:\/\/127\.0\.0\.1:1\/sgx\/certification\/v4\/.*connection was refused/,
    );
    const status = (await (await fetch(`${health}/status`)).json()) as {
      provisioning: { ok: boolean; failure: { code: string; message: string } };
    };
    assert.equal(status.provisioning.ok, false);
    assert.equal(status.provisioning.failure.code, "ISSUER_UNREACHABLE");
    assert.match(status.provisioning.failure.message, /connection was refused/);
    const metrics = await (await fetch(`${health}/metrics`)).text();
    assert.match(metrics, /confcom_quote_helper_provisioning_ok 0/);
    assert.match(metrics, /provisioning_attempts_total\{outcome="ISSUER_UNREACHABLE"\} [1-9]/);
  });
  assert.equal(away.status, 0);
  assert.match(away.log, /had a provisioning authority of its own and is certified by PCCS at/);
  assert.match(away.log, /the attestation key could not be made ready: PCCS at .* connection was refused/);
  const back = await withHelper([], async (health) => {
    const client = new AesmClient({ socketPath: path("aesm.socket") });
    assert.deepEqual((await client.initQuote(undefined, { pubKeyIdSize: 32 })).pubKeyId, pubKeyId);
    const status = (await (await fetch(`${health}/status`)).json()) as { provisioning: unknown };
    assert.equal(status.provisioning, null);
  });
  assert.equal(back.status, 0);
  assert.match(back.log, /goes back to its own provisioning authority: the attestation key stays/);
});

test("the command line's PCCS goes before the file's; a PCCS without a root, or a root without a PCCS, is refused", () => {
  const root = path("some-root.pem");
  const token = path("token");
  writeFileSync(root, "PEM");
  writeFileSync(token, "first\n");
  const file: PccsSettings = { url: "https://file.test", root, userTokenFile: token };
  const access = pccsAccess({ url: "https://flag.test" }, file);
  assert.equal(access?.url, "https://flag.test");
  assert.throws(() => access?.trust(), /some-root\.pem does not hold the root certificate/);
  assert.equal(access?.userToken(), "first");
  writeFileSync(token, "second");
  assert.equal(access?.userToken(), "second");
  writeFileSync(token, "two secret words");
  assert.throws(
    () => access?.userToken(),
    (error: Error) => !error.message.includes("secret"),
  );
  assert.equal(pccsAccess({}), undefined);
  assert.throws(() => pccsAccess({ url: "https://flag.test" }), { code: "CLI_CONFIGURATION", message: /no root/ });
  assert.throws(() => pccsAccess({ root }), { code: "CLI_CONFIGURATION", message: /no PCCS/ });
});
