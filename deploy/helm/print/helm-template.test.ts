import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonSchema } from "../../../packages/kubernetes/src/manifests/json-schema.ts";
import {
  all,
  each,
  equals,
  isEmpty,
  isSet,
  isTrue,
  item,
  merge,
  not,
  orElse,
  product,
  symbolicValues,
  text,
  version,
  when,
} from "../../../packages/kubernetes/src/manifests/template/language.ts";
import { helmTemplate } from "./helm-template.ts";

interface Values {
  readonly namespace: string;
  readonly image: string | null;
  readonly path: string;
  readonly on: boolean;
  readonly count: number;
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly more: Readonly<Record<string, string>>;
  readonly limits: Readonly<Record<string, string>>;
}
const word: JsonSchema = { type: "string", pattern: "^[a-z]+$" };
const map: JsonSchema = { type: "object", propertyNames: { type: "string", pattern: "^[a-z]+$" } };
const schema: JsonSchema = {
  type: "object",
  properties: {
    namespace: word,
    image: { type: ["string", "null"], pattern: "^[a-z]+$" },
    path: { type: "string", pattern: '^/[^"]*$' },
    on: { type: "boolean" },
    count: { type: "integer" },
    names: { type: "array" },
    labels: map,
    more: map,
    limits: { type: "object", propertyNames: { type: "string", pattern: "^(cpu|memory)$" } },
  },
};
const v = symbolicValues<Values>();

function printed(object: unknown, conditions: Parameters<typeof helmTemplate>[1] = []): string[] {
  return helmTemplate(object, conditions, { schema, root: "" }).trimEnd().split("\n");
}

test("constants are YAML 1.1, values are quoted, numbers are whole, the namespace is the release's", () => {
  assert.deepEqual(
    printed({ a: "on", b: [1, "x"], c: {}, d: v.path, e: v.count, f: v.on, g: v.namespace, h: v.labels, i: version }),
    [
      'a: "on"',
      "b:",
      "- 1",
      "- x",
      "c: {}",
      "d: {{ .Values.path | quote }}",
      "e: {{ int64 .Values.count }}",
      "f: {{ .Values.on }}",
      "g: {{ .Release.Namespace | quote }}",
      "h:",
      "  {{- toYaml .Values.labels | nindent 2 }}",
      "i: {{ .Chart.AppVersion | quote }}",
    ],
  );
});

test("text with values in it stands between quotes that no value can end", () => {
  assert.deepEqual(
    printed({
      a: text`--path=${v.path}/x`,
      b: text`name == "${v.namespace}" || it's ${v.count}`,
      c: text`path == "${v.path}"`,
      d: product(v.count, 1024),
      e: orElse(v.image, text`x:${version}`),
      f: "{{ not Helm's }}",
      g: text`{{${v.count}}}`,
    }),
    [
      'a: "--path={{ .Values.path }}/x"',
      `b: 'name == "{{ .Release.Namespace }}" || it''s {{ int64 .Values.count }}'`,
      'c: "path == \\"{{ .Values.path }}\\""',
      "d: {{ mul .Values.count 1024 | quote }}",
      'e: "{{ .Values.image | default (printf "x:%v" .Chart.AppVersion) }}"',
      'f: "{{ "{{" }} not Helm\'s }}"',
      'g: "{{ "{{" }}{{ int64 .Values.count }}}}"',
    ],
  );
});

test("conditions, as entries, as elements with their neighbours, and around the object", () => {
  assert.deepEqual(
    printed(
      {
        a: when(isSet(v.image), v.image, "none"),
        b: ["x", when(v.on, "s"), when(v.on, "t"), when(not(v.on), "w")],
        c: when(all(equals(v.count, 2), not(equals(v.namespace, "n"))), { d: 1 }),
      },
      [isTrue(v.on), all(v.on, isSet(v.image))],
    ),
    [
      "{{- if and .Values.on .Values.on .Values.image }}",
      "{{- if .Values.image }}",
      "a: {{ .Values.image | quote }}",
      "{{- else }}",
      "a: none",
      "{{- end }}",
      "b:",
      "- x",
      "{{- if .Values.on }}",
      "- s",
      "- t",
      "{{- end }}",
      "{{- if not .Values.on }}",
      "- w",
      "{{- end }}",
      '{{- if and (eq (int64 .Values.count) 2) (ne .Release.Namespace "n") }}',
      "c:",
      "  d: 1",
      "{{- end }}",
      "{{- end }}",
    ],
  );
});

test("a list of a list, where it is known not to be empty; inside, values are reached from the root", () => {
  const elements = each<object>(v.names, { name: item, live: v.on });
  assert.deepEqual(printed({ a: when(not(isEmpty(v.names)), elements) }), [
    "{{- if .Values.names }}",
    "a:",
    "{{- range .Values.names }}",
    "- name: {{ . | quote }}",
    "  live: {{ $.Values.on }}",
    "{{- end }}",
    "{{- end }}",
  ]);
  assert.throws(() => printed({ a: elements }), /nothing says that \.Values\.names is not empty/);
});

test("of merged maps the last one counts, and no key stands twice", () => {
  assert.deepEqual(printed({ a: merge<object>(v.labels, { app: "x", "not/possible": "z" }) }), [
    "a:",
    '  {{- with omit .Values.labels "app" }}',
    "  {{- toYaml . | nindent 2 }}",
    "  {{- end }}",
    "  app: x",
    "  not/possible: z",
  ]);
  assert.deepEqual(printed({ a: merge<object>(v.labels, v.more, { app: "x" }) }).slice(1, 6), [
    "  {{- range $key, $value := .Values.labels }}",
    '  {{- if not (or (hasKey $.Values.more $key) (eq $key "app")) }}',
    "  {{ $key | quote }}: {{ $value | quote }}",
    "  {{- end }}",
    "  {{- end }}",
  ]);
  assert.deepEqual(printed({ a: merge<object>(v.limits, when(v.on, { epc: "1" }), { x: "2" }) }).slice(1), [
    "  {{- with .Values.limits }}",
    "  {{- toYaml . | nindent 2 }}",
    "  {{- end }}",
    "  {{- if .Values.on }}",
    '  epc: "1"',
    "  {{- end }}",
    '  x: "2"',
  ]);
});

test("what would come out as null, or twice, is refused when the chart is written", () => {
  for (const [object, message] of [
    [{ a: [when(v.on, 1)] }, /every element may be missing/],
    [{ a: { b: when(v.on, 1) } }, /every member may be missing/],
    [{ a: [{ b: when(v.on, 1), c: 2 }] }, /leaves its dash alone/],
    [{ a: merge<object>(v.labels) }, /could be null/],
    [
      { a: merge<object>(v.labels, when(v.on, { app: "x" }), { b: "y" }) },
      /may have app, which is there only sometimes/,
    ],
    [{ a: (v as unknown as { absent: typeof v.on }).absent }, /no value absent/],
  ] as const) {
    assert.throws(() => printed(object), message);
  }
});
