/** RFC 6902, as far as admission needs it. `add` of a member that is there replaces it. */
export type JsonPatchOperation =
  | { readonly op: "add"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** Where something is in a pod: member names and indices from the top. */
export type Path = readonly (string | number)[];

/** RFC 6901: resource names have a "/" in them. */
export function jsonPointer(path: Path): string {
  return path.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/**
 * Collects the operations that change one object. Maps and lists on the way that are missing or null are made, once. The
 * object itself is only read.
 */
export class PatchBuilder {
  readonly #object: unknown;
  readonly #made = new Set<string>();
  readonly #operations: JsonPatchOperation[] = [];

  constructor(object: unknown) {
    this.#object = object;
  }

  get operations(): readonly JsonPatchOperation[] {
    return this.#operations;
  }

  /** Gives a map's member its value. */
  set(map: Path, name: string, value: unknown): void {
    this.#ensure(map, {});
    this.#operations.push({ op: "add", path: jsonPointer([...map, name]), value });
  }

  /** Adds an element to the end of a list. */
  append(list: Path, element: unknown): void {
    this.#ensure(list, []);
    this.#operations.push({ op: "add", path: jsonPointer([...list, "-"]), value: element });
  }

  /** Takes a member away that is there. */
  remove(map: Path, name: string): void {
    this.#operations.push({ op: "remove", path: jsonPointer([...map, name]) });
  }

  #ensure(path: Path, empty: unknown): void {
    let value: unknown = this.#object;
    for (const [depth, step] of path.entries()) {
      value = typeof value === "object" && value !== null ? Reflect.get(value, step) : undefined;
      if (value !== undefined && value !== null) continue;
      const pointer = jsonPointer(path.slice(0, depth + 1));
      if (this.#made.has(pointer)) continue;
      this.#made.add(pointer);
      this.#operations.push({ op: "add", path: pointer, value: depth === path.length - 1 ? empty : {} });
    }
  }
}
