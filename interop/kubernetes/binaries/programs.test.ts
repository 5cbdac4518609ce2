import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseGoModule } from "./go-module.ts";
import { linkerFlags, programsOf } from "./programs.ts";

const moduleIn = (directory: string) =>
  parseGoModule(readFileSync(new URL(`${directory}/go.mod`, import.meta.url), "utf8"));

test("the DNS server is a module of its own, which moves none of Kubernetes' libraries and gets none of its stamps", () => {
  const dns = moduleIn("../dns");
  assert.deepEqual(
    programsOf(dns).map(({ name, builtAs, version, versionWord }) => ({ name, builtAs, version, versionWord })),
    [{ name: "coredns", builtAs: "dns", version: "1.13.1", versionWord: "CoreDNS-1.13.1" }],
  );
  assert.equal(linkerFlags(dns), "-s -w");
  assert.equal(moduleIn("..").requires.has("github.com/coredns/coredns"), false);
});

test("Kubernetes is told its version, from which it derives its feature gates", () => {
  assert.match(linkerFlags(moduleIn("..")), /-X k8s\.io\/component-base\/version\.gitVersion=v1\.34\.\d+ /);
});
