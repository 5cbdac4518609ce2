import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { VERSION } from "../../packages/cli/src/version.ts";
import { DEFAULT_VALUES, manifestValues } from "../../packages/kubernetes/src/manifests/values.ts";
import { chartFiles } from "./chart/chart-files.ts";

const CHART = fileURLToPath(new URL("./confcom/", import.meta.url));
const files = chartFiles(VERSION);

test("the chart in the repository is what `npm run manifests` writes", () => {
  const committed = readdirSync(CHART, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(CHART.length));
  assert.deepEqual(committed.sort(), [...files.keys()].sort());
  for (const [path, text] of files) assert.equal(readFileSync(join(CHART, path), "utf8"), text, path);
});

test("values.yaml holds the defaults, but for the namespace, which is the release's", () => {
  const { namespace, ...values } = parse(files.get("values.yaml") as string);
  assert.equal(namespace, null);
  assert.deepEqual(manifestValues(values), DEFAULT_VALUES);
  assert.deepEqual({ namespace: DEFAULT_VALUES.namespace, ...values }, DEFAULT_VALUES);
});

test("the schema knows every value and no other, and wants those that have a default", () => {
  const schema = JSON.parse(files.get("values.schema.json") as string);
  assert.deepEqual(Object.keys(schema.properties).sort(), [...Object.keys(DEFAULT_VALUES), "global"].sort());
  assert.equal(schema.additionalProperties, false);
  assert.equal(schema.required.includes("namespace"), false);
  assert.equal(schema.required.includes("mode"), true);
  assert.match(schema.properties.quoteHelper.properties.epcMiB.description, /MiB/);
});

test("every condition that is opened is closed, and its file has nothing of another template language's left", () => {
  for (const [path, text] of files) {
    if (!path.startsWith("templates/")) continue;
    const actions = [...text.matchAll(/\{\{-? ?(if|with|range|else|end)\b/g)].map(([, word]) => word);
    const open = actions.filter((word) => word === "if" || word === "with" || word === "range").length;
    assert.equal(open, actions.filter((word) => word === "end").length, path);
    assert.doesNotMatch(text, /undefined|\[object Object/, path);
  }
});
