/** A leaf's way from the object's top; members of lists of named objects are `[name]`. */
type Path = string;

const SEPARATOR = "\u0000";

/** Leaves of a value with their paths. Lists of anything but named objects are one leaf. */
export function leavesOf(value: unknown, path: readonly string[] = []): Map<Path, unknown> {
  if (isNamedList(value)) return merged(value.map((item) => leavesOf(item, [...path, `[${item.name}]`])));
  if (!isRecord(value)) return new Map([[path.join(SEPARATOR), value]]);
  return merged(Object.entries(value).map(([key, member]) => leavesOf(member, [...path, key])));
}

/** The object that has these leaves. */
export function objectOf(leaves: ReadonlyMap<Path, unknown>): Record<string, unknown> {
  const top = new Map<string, unknown>();
  for (const [path, value] of leaves) {
    const steps = path.split(SEPARATOR);
    let at = top;
    for (const step of steps.slice(0, -1)) {
      if (!(at.get(step) instanceof Map)) at.set(step, new Map());
      at = at.get(step) as Map<string, unknown>;
    }
    at.set(steps.at(-1) as string, value);
  }
  return plain(top) as Record<string, unknown>;
}

function plain(value: unknown): unknown {
  if (!(value instanceof Map)) return value;
  const entries = [...value].map(([key, member]) => [key, plain(member)] as const);
  if (entries.length > 0 && entries.every(([key]) => key.startsWith("["))) return entries.map(([, member]) => member);
  return Object.fromEntries(entries);
}

/** Which manager set which leaf of one object, as server-side apply needs it. */
export class FieldOwners {
  readonly #owned = new Map<string, Set<Path>>();

  /** Who else owns one of these leaves and has another value there. */
  conflicts(
    manager: string,
    before: ReadonlyMap<Path, unknown>,
    wanted: ReadonlyMap<Path, unknown>,
  ): readonly string[] {
    const differing = [...wanted].filter(([path, value]) => before.has(path) && before.get(path) !== value);
    return [...this.#owned.keys()].filter(
      (other) => other !== manager && differing.some(([path]) => this.#owned.get(other)?.has(path)),
    );
  }

  /** Leaves after an apply: the manager's former ones that it names no more are gone, unless somebody else's too. */
  apply(manager: string, before: ReadonlyMap<Path, unknown>, wanted: ReadonlyMap<Path, unknown>): Map<Path, unknown> {
    const after = new Map(before);
    for (const path of this.#owned.get(manager) ?? []) {
      if (!wanted.has(path) && !this.#owners(path).some((owner) => owner !== manager)) after.delete(path);
    }
    this.#took(manager, before, wanted);
    this.#owned.set(manager, new Set(wanted.keys()));
    return new Map([...after, ...wanted]);
  }

  /** After a write that is no apply: what it changed is its writer's alone. */
  update(manager: string, before: ReadonlyMap<Path, unknown>, after: ReadonlyMap<Path, unknown>): void {
    const changed = new Map([...after].filter(([path, value]) => before.get(path) !== value));
    this.#took(manager, before, changed);
    const owned = this.#owned.get(manager) ?? new Set();
    for (const path of changed.keys()) owned.add(path);
    this.#owned.set(manager, owned);
    for (const paths of this.#owned.values()) for (const path of paths) if (!after.has(path)) paths.delete(path);
  }

  /** Managers of a leaf, e.g. `["webhooks", "[slot]", "clientConfig", "caBundle"]`. */
  ownersOf(...path: readonly string[]): readonly string[] {
    return this.#owners(path.join(SEPARATOR));
  }

  #owners(path: Path): readonly string[] {
    return [...this.#owned].filter(([, paths]) => paths.has(path)).map(([manager]) => manager);
  }

  #took(manager: string, before: ReadonlyMap<Path, unknown>, wanted: ReadonlyMap<Path, unknown>): void {
    for (const [other, paths] of this.#owned) {
      if (other === manager) continue;
      for (const [path, value] of wanted) if (before.get(path) !== value) paths.delete(path);
    }
  }
}

function merged(maps: readonly Map<Path, unknown>[]): Map<Path, unknown> {
  return new Map(maps.flatMap((map) => [...map]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNamedList(value: unknown): value is { name: string }[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item) && typeof item.name === "string")
  );
}
