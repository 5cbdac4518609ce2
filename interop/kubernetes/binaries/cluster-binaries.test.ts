import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterBinaries, ensureBinaries } from "./cluster-binaries.ts";
import { type StandInGo, standInGo } from "./testing/stand-in-go.ts";

const silent = { log: () => undefined };

const began = (go: StandInGo): number =>
  existsSync(go.builds) ? readFileSync(go.builds, "utf8").trimEnd().split("\n").length : 0;

const unfinished = (go: StandInGo): string[] =>
  readdirSync(go.cacheDirectory).filter((name) => name.startsWith("building-"));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** A builder in a process of its own, to be killed. */
function builder(test: TestContext, go: StandInGo): ChildProcess {
  const source = `
    import { ensureBinaries } from ${JSON.stringify(new URL("cluster-binaries.ts", import.meta.url).href)};
    await ensureBinaries({ log() {}, cacheDirectory: ${JSON.stringify(go.cacheDirectory)}, moduleDirectory: ${JSON.stringify(go.moduleDirectory)} });`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { env: go.env, stdio: "inherit" });
  test.after(() => child.kill("SIGKILL"));
  return child;
}

describe("the cluster's binaries", () => {
  it("are built with a read-only go.mod and without a C compiler, and etcd gets its name", async (test) => {
    const go = await standInGo(test);
    const binaries = await ensureBinaries({ ...go, ...silent });
    assert.equal(binaries.cached, false);
    assert.deepEqual(readdirSync(binaries.directory).sort(), ["etcd", "kubelet"]);
    assert.equal(readFileSync(go.builds, "utf8"), "-mod=readonly 0\n");
    assert.deepEqual(
      binaries.programs.map(({ name, version }) => `${name} ${version}`),
      ["kubelet v1.34.4", "etcd 3.6.8"],
    );
  });

  it("are not built a second time", async (test) => {
    const go = await standInGo(test);
    const first = await ensureBinaries({ ...go, ...silent });
    const second = await ensureBinaries({ ...go, ...silent });
    assert.equal(second.cached, true);
    assert.equal(second.directory, first.directory);
    assert.equal(began(go), 1);
  });

  it("are built again when one of them is gone", async (test) => {
    const go = await standInGo(test);
    const { directory } = await ensureBinaries({ ...go, ...silent });
    rmSync(join(directory, "etcd"));
    const again = await ensureBinaries({ ...go, ...silent });
    assert.equal(again.cached, false);
    assert.ok(existsSync(join(directory, "etcd")));
  });

  it("are others when a checksum changes", async (test) => {
    const go = await standInGo(test);
    const first = await ensureBinaries({ ...go, ...silent });
    await appendFile(join(go.moduleDirectory, "go.sum"), "a.b/c v1.0.0 h1:x\n");
    const second = await ensureBinaries({ ...go, ...silent });
    assert.notEqual(second.key, first.key);
    assert.equal(second.cached, false);
  });

  it("leave nothing behind when the build fails, and the compiler's words are in the error", async (test) => {
    const go = await standInGo(test, { fails: true });
    await assert.rejects(ensureBinaries({ ...go, ...silent }), /exit 1\na\/b\.go:1:2: undefined: thing$/);
    assert.deepEqual(readdirSync(go.cacheDirectory), ["lock"]);
  });

  it("are refused when a program says another version than go.mod", async (test) => {
    const go = await standInGo(test, { saysVersion: "v0.0.0-master" });
    await assert.rejects(
      ensureBinaries({ ...go, ...silent }),
      /kubelet says it is Kubernetes v0\.0\.0-master, not v1\.34\.4/,
    );
    assert.deepEqual(readdirSync(go.cacheDirectory), ["lock"]);
  });
});

describe("two builders", () => {
  it("build once: the second waits, says so, and takes what the first made", async (test) => {
    const go = await standInGo(test, { slow: true });
    const first = ensureBinaries({ ...go, ...silent });
    await until(() => began(go) === 1);
    const lines: string[] = [];
    const second = ensureBinaries({ ...go, log: (line) => lines.push(line) });
    await until(() => lines.length > 0);
    writeFileSync(go.goOn, "");
    const results: ClusterBinaries[] = [await first, await second];
    assert.deepEqual(
      results.map(({ cached }) => cached),
      [false, true],
    );
    assert.equal(began(go), 1);
    assert.match(lines[0] ?? "", /another builder is at work/);
  });

  it("a builder that was killed holds nobody up, and its leavings go", async (test) => {
    const go = await standInGo(test, { slow: true });
    const killed = builder(test, go);
    await until(() => began(go) === 1);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    assert.equal(unfinished(go).length, 1);
    writeFileSync(go.goOn, "");
    const binaries = await ensureBinaries({ ...go, ...silent });
    assert.equal(binaries.cached, false);
    assert.equal(began(go), 2);
    assert.deepEqual(unfinished(go), []);
  });

  it("a builder that is told to stop ends its compilers and leaves no directory", async (test) => {
    const go = await standInGo(test, { slow: true });
    const stop = new AbortController();
    const building = ensureBinaries({ ...go, ...silent, signal: stop.signal });
    await until(() => began(go) === 1);
    stop.abort(new Error("stopped"));
    await assert.rejects(building, /stopped/);
    assert.deepEqual(unfinished(go), []);
  });
});

describe("Go on this machine", () => {
  it("is named with what to install when there is none", async (test) => {
    const go = await standInGo(test);
    const env = { ...go.env, PATH: "/nonexistent" };
    await assert.rejects(
      ensureBinaries({ ...go, env, ...silent }),
      /Go is not installed .*install Go 1\.24\.0 or newer/,
    );
  });

  it("is too old when it cannot fetch a newer one itself", async (test) => {
    const go = await standInGo(test, { installed: "1.19.8" });
    await assert.rejects(
      ensureBinaries({ ...go, ...silent }),
      /Go 1\.19\.8 is too old .*golang-1\.23-go from bookworm-backports/,
    );
  });

  it("is too old when it may not fetch a newer one", async (test) => {
    const go = await standInGo(test, { installed: "1.23.5", switchesTo: "go1.23.5" });
    await assert.rejects(
      ensureBinaries({ ...go, ...silent }),
      /Go 1\.23\.5 is too old .* and may not fetch a newer one/,
    );
  });

  it("is named when the newer one cannot be fetched, with Go's own words", async (test) => {
    const go = await standInGo(test, { installed: "1.23.5", switchesTo: "unreachable" });
    await assert.rejects(
      ensureBinaries({ ...go, ...silent }),
      /go env: go: download go1\.24\.13: no route to host: install/,
    );
  });

  it("may be older when it fetches the newer one, whose version counts", async (test) => {
    const go = await standInGo(test, { installed: "1.23.5", switchesTo: "go1.24.13" });
    const binaries = await ensureBinaries({ ...go, ...silent });
    assert.equal(binaries.goVersion, "go1.24.13");
  });
});
