import { KubernetesError } from "../errors.ts";
import { type JsonSchema, nullableSchema } from "./json-schema.ts";

/** Checks a value that a person wrote, and returns it typed. `path` names it in the error. */
export interface Reader<T> {
  (value: unknown, path: string): T;
  /** The same check for the Helm chart. */
  readonly schema: JsonSchema;
  /** What a value is that was not given at all; none: it has to be given. */
  readonly absent?: T;
}

/** Throws KubernetesError `MANIFEST_VALUE`. */
export function refuse(path: string, what: string): never {
  throw new KubernetesError("MANIFEST_VALUE", path === "" ? `the values: ${what}` : `value ${path}: ${what}`);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function reader<T>(schema: JsonSchema, read: (value: unknown, path: string) => T): Reader<T> {
  return Object.assign(read, { schema });
}

/** No pattern but that of {@link anyText} may take `"`, `\` or a line's end: the chart writes such values between quotes. */
export function text(pattern: RegExp, what: string, longest = 253): Reader<string> {
  return reader({ type: "string", pattern: pattern.source, maxLength: longest }, (value, path) => {
    if (typeof value !== "string") return refuse(path, `${what} is text, got ${shown(value)}; in YAML, quote it`);
    if (value.length > longest || !pattern.test(value)) return refuse(path, `${shown(value)} is not ${what}`);
    return value;
  });
}

export const dnsLabel = text(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "a name of lower-case letters, digits and dashes", 63);
export const dnsName = text(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  "a name of lower-case letters, digits, dashes and dots",
);
export const imageReference = text(/^[A-Za-z0-9][-A-Za-z0-9._:/@]*$/, "an image reference", 512);
/** Neither `..` nor `,`: such paths are refused by the API server or mean something else in a mount option. */
export const hostPath = text(
  /^(\/(\.?[^./\p{Cc}"\\,:][^/\p{Cc}"\\,:]*|\.\.[^/\p{Cc}"\\,:]+))+$/u,
  "an absolute path without . and ..",
  1024,
);
export const httpsUrl = text(
  /^https:\/\/[^\s\p{Cc}"\\/?#@]+(\/[^\s\p{Cc}"\\?#]*)?$/u,
  "a URL that begins with https://",
  1024,
);
const labelKey = text(
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
  "a label's key",
);
const labelValue = text(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, "a label's value");
const anyText = text(/^[^\0]*$/, "text", 65_536);

/** Written between quotes, where the chart would print a number in another form. */
export const quantityText = text(
  /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/,
  "a quantity such as 100m or 64Mi",
  32,
);
/** A number too, as YAML makes one of `cpu: 1`. */
export const quantity: Reader<string> = reader(
  { ...quantityText.schema, type: ["string", "number"], minimum: 0 },
  (value, path) => quantityText(typeof value === "number" ? String(value) : value, path),
);

export const boolean: Reader<boolean> = reader({ type: "boolean" }, (value, path) =>
  typeof value === "boolean" ? value : refuse(path, `it is true or false, got ${shown(value)}`),
);

export function integer(min: number, max: number): Reader<number> {
  return reader({ type: "integer", minimum: min, maximum: max }, (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(path, `it is a whole number from ${min} to ${max}, got ${shown(value)}`),
  );
}

export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  return reader(
    { type: "string", enum: choices },
    (value, path) =>
      choices.find((choice) => choice === value) ??
      refuse(path, `it is one of ${choices.join(", ")}, got ${shown(value)}`),
  );
}

/** Null, and null is what it is where it is not given. */
export function orNull<T>(read: Reader<T>): Reader<T | null> {
  const nullable = reader<T | null>(nullableSchema(read.schema), (value, path) =>
    value === null ? null : read(value, path),
  );
  return Object.assign(nullable, { absent: null });
}

/** A map or list that may be taken away altogether. */
export function orEmpty<T extends object>(read: Reader<T>): Reader<T> {
  return Object.assign(reader(read.schema, read), { absent: {} as T });
}

export function list<T>(read: Reader<T>, longest = 100): Reader<readonly T[]> {
  return reader({ type: "array", items: read.schema, maxItems: longest }, (value, path) => {
    if (!Array.isArray(value)) return refuse(path, `it is a list, got ${shown(value)}`);
    if (value.length > longest) return refuse(path, `it has ${value.length} entries, more than ${longest}`);
    return value.map((entry, index) => read(entry, `${path}[${index}]`));
  });
}

function mapOf(readKey: Reader<string>, readValue: Reader<string>): Reader<Readonly<Record<string, string>>> {
  const schema: JsonSchema = {
    type: "object",
    propertyNames: readKey.schema,
    additionalProperties: readValue.schema,
  };
  return reader(schema, (value, path) => {
    if (!isObject(value)) return refuse(path, `it is a map, got ${shown(value)}`);
    const entries = Object.entries(value).map(([key, item]) => [
      readKey(key, `${path} (key)`),
      readValue(item, `${path}.${key}`),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  });
}

export const labels = mapOf(labelKey, labelValue);
export const annotations = mapOf(labelKey, anyText);
const computeResources = mapOf(text(/^(cpu|memory|ephemeral-storage)$/, "cpu, memory or ephemeral-storage"), quantity);

type Readers<T> = { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> };

/** An object of which every member may be left out; unknown ones are refused. */
export function partial<T extends object>(readers: Readers<T>): Reader<T> {
  return reader(objectSchema(readers), (value, path) => {
    const result: [string, unknown][] = [];
    for (const [key, item] of Object.entries(asObject(value, path))) {
      const read = known(readers, key, path);
      if (item !== undefined) result.push([key, read(item, below(path, key))]);
    }
    return Object.fromEntries(result) as T;
  });
}

/** An object of which every member is there, but for those that say what they are when they are absent; unknown ones are refused. */
export function section<T extends object>(readers: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<T> {
  const members = Object.entries<Reader<unknown>>(readers);
  const required = members.filter(([, { absent }]) => absent === undefined).map(([key]) => key);
  return reader({ ...objectSchema(readers), required }, (value, path) => {
    const given = asObject(value, path);
    for (const key of Object.keys(given)) known(readers, key, path);
    const result = members.map(([key, read]) => {
      if (Object.hasOwn(given, key) && given[key] !== undefined) return [key, read(given[key], below(path, key))];
      if (read.absent === undefined)
        return refuse(below(path, key), "null takes the default away, and it needs a value");
      return [key, read.absent];
    });
    return Object.fromEntries(result) as T;
  });
}

function objectSchema(readers: object): JsonSchema {
  const properties = Object.entries<Reader<unknown>>(readers as Record<string, Reader<unknown>>);
  return {
    type: "object",
    properties: Object.fromEntries(properties.map(([key, { schema }]) => [key, schema])),
    additionalProperties: false,
  };
}

const below = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

function asObject(value: unknown, path: string): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : refuse(path, `it is an object, got ${shown(value)}`);
}

function known(readers: object, key: string, path: string): Reader<unknown> {
  if (Object.hasOwn(readers, key)) return (readers as Record<string, Reader<unknown>>)[key] as Reader<unknown>;
  return refuse(below(path, key), `it is unknown; known here: ${Object.keys(readers).join(", ")}`);
}

export const resources = section<{
  requests: Readonly<Record<string, string>>;
  limits: Readonly<Record<string, string>>;
}>({ requests: orEmpty(computeResources), limits: orEmpty(computeResources) });

export const object: Reader<object> = reader({ type: "object" }, (value, path) =>
  isObject(value) ? value : refuse(path, `it is an object, got ${shown(value)}`),
);

export { anyText, labelKey, labelValue };
