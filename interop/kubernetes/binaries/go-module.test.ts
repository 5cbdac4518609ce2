import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { parseGoModule } from "./go-module.ts";
import { KUBERNETES_MODULE, linkerFlags, programsOf } from "./programs.ts";

const directory = new URL("../", import.meta.url);
const module = parseGoModule(await readFile(new URL("go.mod", directory), "utf8"));
const sums = (await readFile(new URL("go.sum", directory), "utf8")).trimEnd().split("\n");
const [major = "", ...rest] = (module.requires.get(KUBERNETES_MODULE) ?? "").split(".");
const stagingVersion = ["v0", ...rest].join(".");

describe("go.mod of the development cluster", () => {
  it("makes the programs of a cluster", () => {
    const names = programsOf(module).map(({ name }) => name);
    const kubernetes = [
      "kube-apiserver",
      "kube-controller-manager",
      "kube-proxy",
      "kube-scheduler",
      "kubectl",
      "kubelet",
    ];
    assert.deepEqual(names.sort(), ["etcd", "helm", ...kubernetes]);
  });

  it("takes Kubernetes 1.34 and etcd 3.6", () => {
    assert.equal(major, "v1");
    assert.equal(rest[0], "34");
    const versions = new Map(programsOf(module).map(({ name, version }) => [name, version]));
    assert.match(versions.get("etcd") ?? "", /^3\.6\.\d+$/);
    assert.equal(versions.get("kubelet"), module.requires.get(KUBERNETES_MODULE));
  });

  it("replaces every staging module by the release of the same number", () => {
    assert.ok(module.replaces.size > 0);
    for (const [path, replacement] of module.replaces) {
      assert.deepEqual(replacement, { path, version: stagingVersion }, path);
    }
  });

  it("replaces every module that Kubernetes requires by a directory, which is published as v0.0.0 there", () => {
    const unreplaced = [...module.requires].filter(
      ([path, version]) => version === "v0.0.0" && !module.replaces.has(path),
    );
    assert.deepEqual(unreplaced, []);
  });

  it("requires no Kubernetes module of another release", () => {
    const strays = [...module.requires].filter(
      ([path, version]) => path.startsWith("k8s.io/") && version.startsWith("v0.3") && !module.replaces.has(path),
    );
    assert.deepEqual(strays, []);
  });

  it("pins every module: an exact version, and a checksum of it", () => {
    for (const [path, version] of module.requires) {
      assert.match(version, /^v\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+incompatible)?$/, path);
      const used = module.replaces.get(path)?.version ?? version;
      assert.ok(
        sums.some((line) => line.startsWith(`${path} ${used}/go.mod h1:`)),
        `go.sum has no checksum of ${path} ${used}`,
      );
    }
  });

  it("stamps the version into Kubernetes and helm", () => {
    const flags = linkerFlags(module);
    assert.ok(flags.includes(`-X k8s.io/component-base/version.gitVersion=${module.requires.get(KUBERNETES_MODULE)}`));
    assert.ok(flags.includes("-X k8s.io/component-base/version.gitMinor=34"));
    assert.ok(flags.includes(`-X helm.sh/helm/v3/internal/version.version=${module.requires.get("helm.sh/helm/v3")}`));
  });
});

describe("parseGoModule", () => {
  it("reads directives that stand alone and in blocks, without comments", () => {
    const text = [
      "module m // a comment",
      "go 1.24.0",
      "tool k8s.io/kubernetes/cmd/kubelet",
      "tool (",
      "\thelm.sh/helm/v3/cmd/helm",
      ")",
      "require a.b/c v1.2.3 // indirect",
      "require (",
      "\td.e/f v0.0.0-20240101000000-abcdefabcdef",
      ")",
      "replace a.b/c => g.h/i v1.0.0",
      "replace (",
      "\td.e/f => ./somewhere",
      ")",
    ].join("\n");
    const parsed = parseGoModule(text);
    assert.equal(parsed.go, "1.24.0");
    assert.deepEqual(parsed.tools, ["k8s.io/kubernetes/cmd/kubelet", "helm.sh/helm/v3/cmd/helm"]);
    assert.deepEqual([...parsed.requires.keys()], ["a.b/c", "d.e/f"]);
    assert.deepEqual(parsed.replaces.get("a.b/c"), { path: "g.h/i", version: "v1.0.0" });
    assert.deepEqual(parsed.replaces.get("d.e/f"), { path: "./somewhere", version: undefined });
  });

  it("refuses a tool whose version it cannot know", () => {
    const unknown = parseGoModule("tool example.org/somebody/cmd/thing\n");
    assert.throws(() => programsOf(unknown), /no version is known for the tool example\.org/);
  });
});
