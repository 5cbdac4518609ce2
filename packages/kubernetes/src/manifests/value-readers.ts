import { KubernetesError } from "../errors.ts";

/** Checks a value that a person wrote, and returns it typed. `path` names it in the error. */
export type Reader<T> = (value: unknown, path: string) => T;

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

export function text(pattern: RegExp, what: string, longest = 253): Reader<string> {
  return (value, path) => {
    if (typeof value !== "string") return refuse(path, `${what} is text, got ${shown(value)}; in YAML, quote it`);
    if (value.length > longest || !pattern.test(value)) return refuse(path, `${shown(value)} is not ${what}`);
    return value;
  };
}

export const dnsLabel = text(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, "a name of lower-case letters, digits and dashes", 63);
export const dnsName = text(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  "a name of lower-case letters, digits, dashes and dots",
);
export const imageReference = text(/^[A-Za-z0-9][-A-Za-z0-9._:/@]*$/, "an image reference", 512);
/** Neither `..` nor `,`: such paths are refused by the API server or mean something else in a mount option. */
export const hostPath = text(
  /^\/(?!.*(^|\/)\.\.?(\/|$))[^\0\n,:]*[^\0\n,:/]$/,
  "an absolute path without . and ..",
  1024,
);
const labelKey = text(
  /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
  "a label's key",
);
const labelValue = text(/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/, "a label's value");
const anyText = text(/^[^\0]*$/, "text", 65_536);
const quantity: Reader<string> = (value, path) =>
  text(
    /^\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/,
    "a quantity such as 100m or 64Mi",
    32,
  )(typeof value === "number" ? String(value) : value, path);

export const boolean: Reader<boolean> = (value, path) =>
  typeof value === "boolean" ? value : refuse(path, `it is true or false, got ${shown(value)}`);

export function integer(min: number, max: number): Reader<number> {
  return (value, path) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
      ? (value as number)
      : refuse(path, `it is a whole number from ${min} to ${max}, got ${shown(value)}`);
}

export function oneOf<const T extends string>(...choices: readonly T[]): Reader<T> {
  return (value, path) =>
    choices.find((choice) => choice === value) ??
    refuse(path, `it is one of ${choices.join(", ")}, got ${shown(value)}`);
}

export function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (value, path) => (value === null ? null : read(value, path));
}

export function list<T>(read: Reader<T>, longest = 100): Reader<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return refuse(path, `it is a list, got ${shown(value)}`);
    if (value.length > longest) return refuse(path, `it has ${value.length} entries, more than ${longest}`);
    return value.map((entry, index) => read(entry, `${path}[${index}]`));
  };
}

function mapOf(readKey: Reader<string>, readValue: Reader<string>): Reader<Readonly<Record<string, string>>> {
  return (value, path) => {
    if (!isObject(value)) return refuse(path, `it is a map, got ${shown(value)}`);
    const entries = Object.entries(value).map(([key, item]) => [
      readKey(key, `${path} (key)`),
      readValue(item, `${path}.${key}`),
    ]);
    return Object.fromEntries(entries) as Record<string, string>;
  };
}

export const labels = mapOf(labelKey, labelValue);
export const annotations = mapOf(labelKey, anyText);
const computeResources = mapOf(text(/^(cpu|memory|ephemeral-storage)$/, "cpu, memory or ephemeral-storage"), quantity);

/** An object of which every member may be left out; unknown ones are refused. */
export function partial<T extends object>(
  readers: { readonly [K in keyof T]-?: Reader<NonNullable<T[K]>> },
): Reader<T> {
  return (value, path) => {
    if (!isObject(value)) return refuse(path, `it is an object, got ${shown(value)}`);
    const known = new Map<string, Reader<unknown>>(Object.entries(readers));
    const result: [string, unknown][] = [];
    for (const [key, item] of Object.entries(value)) {
      const at = path === "" ? key : `${path}.${key}`;
      const read = known.get(key);
      if (read === undefined) return refuse(at, `it is unknown; known here: ${[...known.keys()].join(", ")}`);
      if (item !== undefined) result.push([key, read(item, at)]);
    }
    return Object.fromEntries(result) as T;
  };
}

export const resources = partial<{
  requests?: Readonly<Record<string, string>>;
  limits?: Readonly<Record<string, string>>;
}>({ requests: computeResources, limits: computeResources });

export const object: Reader<object> = (value, path) =>
  isObject(value) ? value : refuse(path, `it is an object, got ${shown(value)}`);

export const httpsUrl = text(/^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, "a URL that begins with https://", 1024);

export { anyText, labelKey, labelValue, quantity };
