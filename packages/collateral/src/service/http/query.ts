/**
 * The query of a URL as the reference's parser reads it (spec: DCAP §12): `+` is a space, a value that is not well-formed
 * percent-encoding stays as it is, of several values of one name the first counts, also where the name is written `name[]`.
 * Names that nobody asks for cost nothing: values are decoded on demand.
 */
export class Query {
  readonly #fields: readonly string[];

  /** `text`: what follows the question mark. At most {@link MAX_PARAMETERS} parameters are looked at. */
  constructor(text: string) {
    this.#fields = text === "" ? [] : text.split("&", MAX_PARAMETERS);
  }

  /** The first value of a parameter; undefined when it is not there. A parameter without `=` is empty. */
  get(name: string): string | undefined {
    for (const field of this.#fields) {
      const equals = field.indexOf("=");
      const written = equals < 0 ? field : field.slice(0, equals);
      if (written === name || named(decoded(written), name)) return equals < 0 ? "" : decoded(field.slice(equals + 1));
    }
    return undefined;
  }
}

/** As many as the reference's parser takes. */
const MAX_PARAMETERS = 1000;

function named(written: string, name: string): boolean {
  return written === name || (written.length === name.length + 2 && written.endsWith("[]") && written.startsWith(name));
}

function decoded(text: string): string {
  const spaced = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!spaced.includes("%")) return spaced;
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
