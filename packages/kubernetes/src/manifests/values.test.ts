import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseValues } from "./parse-values.ts";
import { setValue } from "./set-value.ts";
import { VALUE_DESCRIPTIONS } from "./value-descriptions.ts";
import { DEFAULT_VALUES, manifestValues, VALUES_READER } from "./values.ts";

const refused = (given: unknown, message: RegExp) =>
  assert.throws(() => manifestValues(given), { code: "MANIFEST_VALUE", message }, JSON.stringify(given));

test("no values are the defaults, and the defaults are values", () => {
  assert.deepEqual(manifestValues(), DEFAULT_VALUES);
  assert.deepEqual(manifestValues(null), DEFAULT_VALUES);
  assert.deepEqual(manifestValues(JSON.parse(JSON.stringify(DEFAULT_VALUES))), DEFAULT_VALUES);
});

test("maps are merged, lists replaced, and null takes away, as Helm does it", () => {
  const values = manifestValues({
    quoteHelper: { epcMiB: 4 },
    slots: { quote: 7 },
    plugin: { resources: { limits: { memory: "1Gi" } } },
    tolerations: [],
    priorityClassName: null,
    nodeStatus: { resources: { requests: { cpu: null }, limits: null } },
  });
  assert.deepEqual(values.quoteHelper, { ...DEFAULT_VALUES.quoteHelper, epcMiB: 4 });
  assert.deepEqual(values.slots, { enclave: 110, provision: 110, quote: 7 });
  assert.deepEqual(values.plugin.resources, { requests: { cpu: "20m", memory: "96Mi" }, limits: { memory: "1Gi" } });
  assert.deepEqual(values.nodeStatus.resources, { requests: { memory: "64Mi" }, limits: {} });
  assert.deepEqual([values.tolerations, values.priorityClassName], [[], null]);
  refused({ mode: null }, /^value mode: null takes the default away, and it needs a value/);
  refused({ quoteHelper: null }, /^value quoteHelper: null takes/);
});

test("an unknown value is refused by its name, with the known ones", () => {
  refused({ imag: "x" }, /^value imag: it is unknown; known here: namespace, createNamespace, image,/);
  refused({ quoteHelper: { epcMib: 4 } }, /^value quoteHelper\.epcMib: it is unknown; known here: enabled, epcMiB,/);
  refused({ tolerations: [{ keys: "x" }] }, /^value tolerations\[0\]\.keys: it is unknown/);
  refused({ affinity: { nodeAfinity: {} } }, /^value affinity\.nodeAfinity: it is unknown/);
});

test("a value of the wrong kind is refused by its name", () => {
  for (const [given, message] of [
    [[], /^the values|^value : |it is an object/],
    [{ namespace: "Kube" }, /^value namespace: "Kube" is not a name/],
    [{ namespace: 1 }, /^value namespace: .* is text, got 1; in YAML, quote it/],
    [{ image: "a b" }, /^value image: "a b" is not an image reference/],
    [{ mode: "fast" }, /^value mode: it is one of auto, device, counter, got "fast"/],
    [{ slots: { enclave: -1 } }, /^value slots\.enclave: it is a whole number from 0 to 10000, got -1/],
    [{ numa: "true" }, /^value numa: it is true or false, got "true"/],
    [
      { sysfsNodeDirectory: "/sys/../etc" },
      /^value sysfsNodeDirectory: .* is not an absolute path without \. and \.\./,
    ],
    [{ quoteHelper: { stateDirectory: "state" } }, /^value quoteHelper\.stateDirectory/],
    [{ quoteHelper: { stateDirectory: "/" } }, /^value quoteHelper\.stateDirectory/],
    [{ quoteHelper: { socketDirectory: "/run/aesmd/" } }, /^value quoteHelper\.socketDirectory/],
    [{ podLabels: { "a b": "x" } }, /^value podLabels \(key\)/],
    [{ nodeSelector: { zone: true } }, /^value nodeSelector\.zone: .* is text, got true/],
    [{ plugin: { resources: { limits: { memory: "64MB" } } } }, /^value plugin\.resources\.limits\.memory/],
    [{ plugin: { resources: { limits: { gpu: "1" } } } }, /^value plugin\.resources\.limits \(key\)/],
    [{ tolerations: [{ effect: "Never" }] }, /^value tolerations\[0\]\.effect: it is one of/],
    [{ imagePullSecrets: "x" }, /^value imagePullSecrets: it is a list, got "x"/],
    [{ listenAddress: "localhost" }, /^value listenAddress/],
  ] as const) {
    refused(given, message);
  }
});

test("a quantity may be a number, as YAML makes of one", () => {
  assert.equal(manifestValues({ plugin: { resources: { requests: { cpu: 1 } } } }).plugin.resources.requests?.cpu, "1");
});

test("text that stands in quotes in the chart's templates cannot end them", () => {
  const texts = [...scalars(DEFAULT_VALUES)];
  assert.ok(texts.some(({ path }) => path.join(".") === "pccs.url"));
  for (const { path } of texts) {
    for (const end of ['"', "\\", "\n"]) {
      for (const start of ["/a", "https://a", "a"]) {
        const given = path.reduceRight<unknown>((value, key) => ({ [key]: value }), `${start}${end}b`);
        assert.throws(() => manifestValues(given), { code: "MANIFEST_VALUE" }, path.join("."));
      }
    }
  }
});

/** Where in the values text, null, numbers and truth lie. */
function* scalars(value: unknown, path: readonly string[] = []): Generator<{ path: readonly string[] }> {
  if (typeof value !== "object" || value === null) yield { path };
  else if (!Array.isArray(value)) {
    for (const [key, member] of Object.entries(value)) yield* scalars(member, [...path, key]);
  }
}

test("what the chart checks is what the command checks: the patterns are RE2's, what may be null may be absent", () => {
  const schemas = [VALUES_READER.schema];
  for (const schema of schemas) {
    assert.doesNotMatch(schema.pattern ?? "", /\(\?|\\[1-9]/, "no lookaround, no back reference");
    const more = schema.additionalProperties;
    schemas.push(...Object.values(schema.properties ?? {}), ...(typeof more === "object" ? [more] : []));
    if (schema.propertyNames !== undefined) schemas.push(schema.propertyNames);
    if (schema.items !== undefined) schemas.push(schema.items);
  }
  assert.ok(schemas.length > 60);
  assert.deepEqual(VALUES_READER.schema.properties?.image?.type, ["string", "null"]);
  assert.equal(VALUES_READER.schema.required?.includes("image"), false);
  assert.equal(VALUES_READER.schema.required?.includes("mode"), true);
});

test("every value has a description, and nothing else has", () => {
  const described = Object.keys(VALUE_DESCRIPTIONS);
  const values = [...scalars(DEFAULT_VALUES)].map(({ path }) => path.join("."));
  for (const value of values) {
    assert.ok(
      described.some((one) => value === one || value.startsWith(`${one}.`)),
      value,
    );
  }
  for (const one of described) {
    const at = one
      .split(".")
      .reduce<unknown>((within, key) => (within as Record<string, unknown>)[key], DEFAULT_VALUES);
    assert.notEqual(at, undefined, one);
  }
});

test("docs/kubernetes.md has every value", () => {
  const docs = readFileSync(new URL("../../../../docs/kubernetes.md", import.meta.url), "utf8");
  for (const value of Object.keys(VALUE_DESCRIPTIONS)) {
    const isSection = Object.keys(VALUE_DESCRIPTIONS).some((other) => other.startsWith(`${value}.`));
    if (!isSection) assert.match(docs, new RegExp(`^\\|.*\`${value.replaceAll(".", "\\.")}\`.*\\|$`, "m"), value);
  }
});

test("values that exclude each other are refused", () => {
  refused({ resourceNames: "intel", mode: "device" }, /^value mode: device does not go with resourceNames intel/);
  refused({ slots: { provision: 0 } }, /^value slots\.provision: 0 leaves none for the quote helper/);
  assert.equal(manifestValues({ slots: { provision: 0 }, quoteHelper: { enabled: false } }).slots.provision, 0);
  refused({ slots: { enclave: 0 } }, /^value slots\.enclave: 0 leaves none for the quote helper/);
  refused({ slots: { enclave: 0 }, resourceNames: "intel" }, /^value slots\.enclave/);
  assert.equal(manifestValues({ slots: { enclave: 0 }, mode: "device" }).slots.enclave, 0);
  // The webhook gives every container with EPC an enclave slot, where EPC alone gives no device.
  const noSlots = { slots: { enclave: 0 }, quoteHelper: { enabled: false } };
  refused(noSlots, /^value slots\.enclave: 0 leaves none for pods with EPC, each of which the webhook gives one/);
  refused({ ...noSlots, mode: "counter" }, /^value slots\.enclave: 0 leaves none for pods/);
  assert.equal(manifestValues({ ...noSlots, mode: "device" }).slots.enclave, 0);
  assert.equal(manifestValues({ ...noSlots, webhook: { enabled: false } }).slots.enclave, 0);
  refused({ numa: true, mode: "counter" }, /^value numa: true needs EPC as devices/);
  refused({ numa: true, resourceNames: "intel" }, /^value numa/);
});

test("--set descends by dots, an escaped dot is part of a name, and the value is YAML", () => {
  const set = (...assignments: string[]) => assignments.reduce(setValue, {} as Readonly<Record<string, unknown>>);
  assert.deepEqual(set("a.b=1", "a.c=true", "a.b=2"), { a: { c: true, b: 2 } });
  assert.deepEqual(set("nodeSelector.kubernetes\\.io/os=linux"), { nodeSelector: { "kubernetes.io/os": "linux" } });
  assert.deepEqual(set('podLabels.x="1"', "image=localhost/confcom:2", "affinity=null", "x="), {
    podLabels: { x: "1" },
    image: "localhost/confcom:2",
    affinity: null,
    x: "",
  });
  assert.deepEqual(set("tolerations=[{key: sgx, operator: Exists}]"), {
    tolerations: [{ key: "sgx", operator: "Exists" }],
  });
  for (const wrong of ["a", "=1", "a..b=1", ".a=1", "a=[", "a=*x"]) {
    assert.throws(() => set(wrong), { code: "MANIFEST_VALUE" }, wrong);
  }
});

test("--set __proto__ changes no prototype and is refused as unknown", () => {
  const values = setValue({}, "__proto__.polluted=1");
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  refused(values, /^value __proto__: it is unknown/);
});

test("a values file is YAML or JSON, empty or a map", () => {
  assert.deepEqual(parseValues("", "f"), {});
  assert.deepEqual(parseValues("# nothing\n", "f"), {});
  assert.deepEqual(parseValues("image: x\n", "f"), { image: "x" });
  assert.deepEqual(parseValues('{"image":"x"}', "f"), { image: "x" });
  for (const wrong of ["- a", "text", "a: [", "a: 1\na: 2"]) {
    assert.throws(() => parseValues(wrong, "f"), { code: "MANIFEST_VALUE", message: /f is not/ }, wrong);
  }
});
