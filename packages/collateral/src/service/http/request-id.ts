import type { Random } from "../../clock.ts";

const GIVEN = /^[A-Za-z0-9._-]{1,64}$/;

/** Names every answer: the client's own Request-ID where it is harmless, otherwise 32 hexadecimal digits that no other has. */
export class RequestIds {
  readonly #prefix: string;
  #count = 0;

  /** `random` tells processes apart; the names are no secrets. */
  constructor(random: Random) {
    const word = () => Math.floor(random() * 0x1_0000_0000).toString(16);
    this.#prefix = (word().padStart(8, "0") + word().padStart(8, "0") + word().padStart(8, "0")).slice(0, 20);
  }

  next(given: string | string[] | undefined): string {
    if (typeof given === "string" && GIVEN.test(given)) return given;
    this.#count++;
    return this.#prefix + this.#count.toString(16).padStart(12, "0");
  }
}
