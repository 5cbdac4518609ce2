interface Member {
  readonly name: string;
  readonly value: JsonValue;
  next: Member | undefined;
}

/**
 * A JSON object with its members in order. RapidJSON keeps repeated names and finds the first; so does this. A TCB info
 * is hundreds of objects of one to three members, for which a list takes a tenth of what two growing arrays do.
 */
export class JsonObject {
  #first: Member | undefined;
  #last: Member | undefined;

  add(name: string, value: JsonValue): void {
    const member: Member = { name, value, next: undefined };
    if (this.#last === undefined) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
  }

  get(name: string): JsonValue | undefined {
    for (let member = this.#first; member !== undefined; member = member.next) {
      if (member.name === name) return member.value;
    }
    return undefined;
  }

  *members(): Generator<readonly [name: string, value: JsonValue]> {
    for (let member = this.#first; member !== undefined; member = member.next) yield [member.name, member.value];
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
