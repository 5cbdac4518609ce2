/** Leaf fields of an object by path, as far as server-side apply of the fake tells them apart: lists of named things by name. */
export type Leaves = ReadonlyMap<string, unknown>;

type Json = Record<string, unknown>;

const isMap = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields that say which object it is and belong to nobody. */
const IDENTITY =
  /^\.(apiVersion|kind|metadata\.(name|namespace|resourceVersion|managedFields|uid|generation))(\.|\[|$)/;

export function leavesOf(object: unknown, path = ""): Map<string, unknown> {
  const leaves = new Map<string, unknown>();
  const add = (value: unknown, at: string): void => {
    for (const [key, leaf] of leavesOf(value, at)) leaves.set(key, leaf);
  };
  if (IDENTITY.test(path)) return leaves;
  if (isMap(object) && Object.keys(object).length > 0) {
    for (const [key, value] of Object.entries(object)) add(value, `${path}.${key}`);
  } else if (isNamedList(object)) {
    for (const one of object) add(one, `${path}[name="${one.name}"]`);
  } else leaves.set(path, object);
  return leaves;
}

function isNamedList(value: unknown): value is (Json & { name: string })[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => isMap(one) && typeof one.name === "string");
}

/** `under` with the fields of `over`, and without the paths in `dropped`. */
export function mergedFields(under: unknown, over: unknown, dropped: ReadonlySet<string>, path = ""): unknown {
  if (isMap(over) && (isMap(under) || under === undefined)) {
    const merged: Json = {};
    for (const key of new Set([...Object.keys(under ?? {}), ...Object.keys(over)])) {
      const value = mergedOne(under?.[key], over[key], dropped, `${path}.${key}`);
      if (value !== undefined) merged[key] = value;
    }
    return merged;
  }
  if (isNamedList(over) && (isNamedList(under) || under === undefined)) {
    const names = new Set([...(under ?? []), ...over].map(({ name }) => name));
    const of = (list: typeof over | undefined, name: string) => list?.find((one) => one.name === name);
    return [...names].flatMap((name) => {
      const value = mergedOne(of(under, name), of(over, name), dropped, `${path}[name="${name}"]`);
      return value === undefined ? [] : [value];
    });
  }
  return over;
}

function mergedOne(under: unknown, over: unknown, dropped: ReadonlySet<string>, path: string): unknown {
  if (over !== undefined) return mergedFields(under, over, dropped, path);
  return without(under, dropped, path);
}

function without(value: unknown, dropped: ReadonlySet<string>, path: string): unknown {
  if (dropped.has(path)) return undefined;
  if (isMap(value)) {
    const entries = Object.entries(value).map(([key, one]) => [key, without(one, dropped, `${path}.${key}`)] as const);
    const left = entries.filter(([, one]) => one !== undefined);
    return left.length === 0 && entries.length > 0 ? undefined : Object.fromEntries(left);
  }
  if (!isNamedList(value)) return value;
  const left = value.flatMap((one) => without(one, dropped, `${path}[name="${one.name}"]`) ?? []);
  return left.length === 0 ? undefined : left;
}
