import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openSoftwarePlatform } from "@confcom/quoting/software";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import { preparedFiles } from "../../pccs/prepare/prepared-files.ts";
import { openState, systemRandom } from "../state.ts";

const MAIN = fileURLToPath(new URL("../../main.ts", import.meta.url));

interface Status {
  readonly platform: { readonly attestationKey: string | null; readonly root: string | null };
  readonly provisioning: { readonly state: string; readonly root: string | null; readonly ok: boolean };
}

interface Service {
  readonly url: string;
  readonly root: string;
  readonly fingerprint: string;
  readonly ca: string;
  readonly token: string;
  end(): Promise<unknown>;
}

/** Files and processes of one test, all gone at its end. */
class World {
  readonly directory = mkdtempSync(join(tmpdir(), "confcom-helper-trust-"));
  readonly #children: { readonly child: ChildProcess; readonly exited: Promise<unknown> }[] = [];

  constructor(t: TestContext) {
    t.after(async () => {
      for (const { child, exited } of this.#children) {
        child.kill("SIGKILL");
        await exited;
      }
      rmSync(this.directory, { recursive: true });
    });
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  async run(...args: string[]) {
    const { child, exited } = this.#spawn(args);
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
    return { stdout, stderr, status: child.exitCode };
  }

  /** A PCCS with TLS as in a cluster; the same name at the same port is the same one again. */
  async pccs(name: string, port = 0): Promise<Service> {
    const state = this.path(name);
    const files = preparedFiles(state);
    const prepared = await this.run("pccs", "prepare", "--state", state, "--ip-address", "127.0.0.1");
    assert.equal(prepared.status, 0, prepared.stderr);
    const tls = ["--tls-cert", files.server, "--tls-key", files.server, "--user-token-file", files.userTokenHashes];
    const options = ["--state", state, "--upstream", "software", "--listen", `127.0.0.1:${port}`, "--json"];
    const { child, exited } = this.#spawn(["pccs", ...options, ...tls]);
    child.stderr.resume();
    const { url } = await readyLine<{ url: string }>(child);
    const root = readFileSync(join(state, "software-authority", "root-ca.pem"), "utf8");
    const end = () => {
      child.kill("SIGKILL");
      return exited;
    };
    const read = (path: string) => readFileSync(path, "utf8");
    return { url, root, fingerprint: fingerprintOf(root), ca: read(files.ca), token: read(files.userToken), end };
  }

  /** As the kubelet fills the volume: whole, at once. */
  publish({ root, ca, token }: Pick<Service, "root" | "ca" | "token">): void {
    mkdirSync(this.path("trust.new"));
    const files = { "root-ca.pem": root, "pccs-ca.pem": ca, "user-token": token };
    for (const [name, content] of Object.entries(files)) writeFileSync(this.path("trust.new", name), content);
    rmSync(this.path("trust"), { recursive: true, force: true });
    renameSync(this.path("trust.new"), this.path("trust"));
  }

  async helper(url: string) {
    const trust = (name: string) => this.path("trust", name);
    const { child, exited } = this.#spawn([
      ...["quote-helper", "--workers", "1", "--json", "--health-listen", "127.0.0.1:0"],
      ...["--socket", this.path("aesm.socket"), "--state", this.path("helper")],
      ...["--pccs", url, "--pccs-root", trust("root-ca.pem"), "--pccs-ca", trust("pccs-ca.pem")],
      ...["--pccs-user-token-file", trust("user-token")],
    ]);
    let log = "";
    child.stderr.on("data", (chunk) => {
      log += String(chunk);
    });
    const { health } = await readyLine<{ health: { port: number } }>(child);
    const get = (path: string) => fetch(`http://127.0.0.1:${health.port}${path}`);
    const status = async () => (await (await get("/status")).json()) as Status;
    const until = async (what: string, holds: (status: Status) => boolean) => {
      for (let n = 0; n < 300; n++) {
        const found = await status();
        if (holds(found)) return found;
        await sleep(100);
      }
      assert.fail(`never ${what}: ${JSON.stringify(await status())}\n${log}`);
    };
    const end = () => {
      child.kill("SIGTERM");
      return exited;
    };
    return { get, status, until, end, log: () => log };
  }

  async quote(): Promise<string> {
    const out = this.path("quote");
    const made = await this.run("quote", "--socket", this.path("aesm.socket"), "--report-data", "00", "--out", out);
    assert.equal(made.status, 0, made.stderr);
    return out;
  }

  /** With one root, and everything else from a PCCS. */
  verify(quote: string, root: string, { url, ca }: Pick<Service, "url" | "ca">) {
    writeFileSync(this.path("trusted.pem"), root);
    writeFileSync(this.path("tls.pem"), ca);
    const from = ["--pccs-url", url, "--tls-ca", this.path("tls.pem"), "--cache", "none"];
    return this.run("verify", quote, "--trust-root", this.path("trusted.pem"), ...from);
  }

  #spawn(args: readonly string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const exited = once(child, "exit");
    this.#children.push({ child, exited });
    return { child, exited };
  }
}

async function readyLine<T>(child: ChildProcess): Promise<T> {
  assert.ok(child.stdout !== null);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return JSON.parse(line) as T;
}

const fingerprintOf = (pem: string) => `SHA-256 ${new X509Certificate(pem).fingerprint256}`;

/** A state directory of a helper that was its own root until now. */
async function ownRoot(world: World): Promise<{ readonly key: string; readonly root: string }> {
  const state = openState(world.path("helper"), () => {});
  const platform = await openSoftwarePlatform({ state, now: () => new Date(), random: systemRandom });
  const { pubKeyId } = await platform.initQuote(ECDSA_P256_KEY_ID);
  await platform.close();
  return { key: toHex(pubKeyId), root: platform.authority.rootCertificatePem };
}

test("a helper that was its own root waits for root, CA and token, then moves under the cluster's root with its key", async (t) => {
  const world = new World(t);
  const [own, pccs] = [await ownRoot(world), await world.pccs("pccs")];
  const helper = await world.helper(pccs.url);
  const waiting = await helper.until("waiting", ({ provisioning }) => provisioning.state === "awaiting-root");
  // Neither under its own root nor under any other.
  assert.deepEqual([waiting.platform.root, waiting.platform.attestationKey], [null, null]);
  assert.equal((await helper.get("/healthz")).status, 200);
  const ready = await helper.get("/readyz");
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /cannot be asked yet: cannot read the root certificate from .*root-ca\.pem/);
  // First without a token, as when the Secret comes later than the ConfigMap.
  world.publish({ ...pccs, token: "" });
  await helper.until("refused", ({ provisioning }) => provisioning.state === "unregistered" && !provisioning.ok);
  world.publish(pccs);
  const moved = await helper.until("registered", ({ provisioning }) => provisioning.state === "registered");
  assert.deepEqual([moved.platform.root, moved.platform.attestationKey], [pccs.fingerprint, own.key]);
  assert.equal((await helper.get("/readyz")).status, 200);
  assert.match(helper.log(), /had a provisioning authority of its own and is certified by PCCS at/);
  assert.ok(!helper.log().includes(pccs.token.trim()));
  const quote = await world.quote();
  const verified = await world.verify(quote, pccs.root, pccs);
  assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  assert.equal((await world.verify(quote, own.root, pccs)).status, 2);
});

test("a certified helper quotes on while the PCCS is away, restarts without PCCS and files, and takes up another root when one comes", async (t) => {
  const world = new World(t);
  const pccs = await world.pccs("pccs");
  world.publish(pccs);
  const first = await world.helper(pccs.url);
  const { platform } = await first.until("registered", ({ provisioning }) => provisioning.state === "registered");
  await pccs.end();
  await world.quote();
  await first.end();
  rmSync(world.path("trust"), { recursive: true });
  const alone = await world.helper(pccs.url);
  assert.deepEqual((await alone.status()).platform, platform);
  assert.equal((await alone.status()).provisioning.state, "registered");
  assert.equal((await alone.get("/readyz")).status, 200);
  // Back at its address, with the same CA and root: nothing changes.
  const back = await world.pccs("pccs", Number(new URL(pccs.url).port));
  world.publish(back);
  assert.equal((await world.verify(await world.quote(), pccs.root, back)).status, 0);
  await back.end();
  // Another one at its address: root, TLS authority and token are others.
  const other = await world.pccs("another", Number(new URL(pccs.url).port));
  world.publish(other);
  const moved = await alone.until("moved", (status) => status.platform.root === other.fingerprint);
  assert.equal(moved.provisioning.state, "registered");
  assert.equal(moved.platform.attestationKey, platform.attestationKey);
  assert.match(alone.log(), /the trusted root changed, from/);
  assert.equal((await world.verify(await world.quote(), other.root, other)).status, 0);
});
