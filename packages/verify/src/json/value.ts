/** A JSON object with its members in order. RapidJSON keeps repeated names and finds the first; so does this. */
export class JsonObject {
  readonly names: string[] = [];
  readonly values: JsonValue[] = [];

  get(name: string): JsonValue | undefined {
    const index = this.names.indexOf(name);
    return index < 0 ? undefined : this.values[index];
  }
}

/** A number with a fraction, an exponent or over 64 bits: a number that no field of a collateral document may be. */
export class JsonDouble {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** Integers are numbers (those over 2^53 rounded); every other number is a {@link JsonDouble}. */
export type JsonValue = JsonObject | readonly JsonValue[] | JsonDouble | number | string | boolean | null;
