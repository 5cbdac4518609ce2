import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../", import.meta.url));

/** Package → the project's packages it may import. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  sgx: [],
  aesm: ["sgx"],
  verify: ["sgx"],
  quoting: ["sgx", "aesm"],
  collateral: ["sgx", "verify", "quoting"],
  kubernetes: ["sgx", "aesm"],
  cli: ["sgx", "aesm", "verify", "quoting", "collateral", "kubernetes"],
};

function sources(name: string): string[] {
  const root = join(packages, name, "src");
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join(root, file));
}

const isTest = (file: string) =>
  file.endsWith(".test.ts") || /\/(fixtures|stress|hostile|testing|conformance|fuzz)\//.test(file);

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  return [...text.matchAll(/(?:from\s+|import\s*\(\s*|^import\s+)"([^"]+)"/gm)].map((match) => match[1] as string);
}

test("imports between packages point one way", () => {
  for (const [name, allowed] of Object.entries(MAY_IMPORT)) {
    for (const file of sources(name)) {
      if (isTest(file)) continue;
      for (const imported of importsOf(file)) {
        const target = /^@confcom\/([a-z]+)/.exec(imported)?.[1];
        if (target === undefined) continue;
        assert.ok(target === name || allowed.includes(target), `${relative(packages, file)} imports ${imported}`);
      }
    }
  }
});

test("no source reaches into another package's files by path", () => {
  for (const name of Object.keys(MAY_IMPORT)) {
    const root = join(packages, name);
    for (const file of sources(name)) {
      for (const imported of importsOf(file).filter((path) => path.startsWith("."))) {
        const target = join(file, "..", imported);
        assert.ok(target.startsWith(`${root}/`), `${relative(packages, file)} imports ${imported}`);
      }
    }
  }
});

test("sgx and the core of verify import nothing of Node", () => {
  for (const name of ["sgx", "verify"]) {
    for (const file of sources(name)) {
      if (isTest(file) || file.endsWith("/node-crypto.ts")) continue;
      for (const imported of importsOf(file)) {
        assert.ok(!imported.startsWith("node:"), `${relative(packages, file)} imports ${imported}`);
      }
    }
  }
});

test("sgx, aesm and verify have no dependency outside the project", () => {
  for (const name of ["sgx", "aesm", "verify"]) {
    const manifest = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
    };
    for (const dependency of Object.keys(manifest.dependencies ?? {})) assert.match(dependency, /^@confcom\//);
  }
});

test("libraries read no clock, randomness or environment of their own", () => {
  const forbidden = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bprocess\.env\b/;
  for (const name of ["sgx", "verify", "quoting", "aesm", "collateral", "kubernetes"]) {
    for (const file of sources(name)) {
      // The one file of a library that binds the real ones, for applications that pass nothing.
      if (isTest(file) || file.endsWith("/provider/default-platform.ts")) continue;
      assert.doesNotMatch(readFileSync(file, "utf8"), forbidden, relative(packages, file));
    }
  }
});
