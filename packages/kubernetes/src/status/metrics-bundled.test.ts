import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

// The daemons are shipped as a bundle, in which a CommonJS library that is imported late looks otherwise than in Node.

const directory = mkdtempSync(join(tmpdir(), "confcom-bundle-"));
after(() => rmSync(directory, { recursive: true, force: true }));

test("metrics are written in a bundle too", async () => {
  await build({
    entryPoints: [fileURLToPath(new URL("./metrics.ts", import.meta.url))],
    outdir: directory,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    banner: { js: 'import{createRequire as r}from"node:module";const require=r(import.meta.url);' },
  });
  const bundled = (await import(pathToFileURL(join(directory, "metrics.mjs")).href)) as typeof import("./metrics.ts");
  const families = [{ name: "n_total", help: "N.", type: "counter", samples: [{ value: 2 }] }] as const;
  assert.match(await bundled.metricsText(families), /^n_total 2$/m);
});
