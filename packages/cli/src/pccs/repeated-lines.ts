/** How often the same thing is said. Milliseconds. */
const EACH_MS = 60_000;
/** Different things said within that time, and remembered. */
const AT_MOST = 100;
const REMEMBERED = 1_024;

interface Said {
  at: number;
  suppressed: number;
}

/** Says each thing once a minute, and not more than a hundred different ones: thousands of clients fail for one cause. */
export class RepeatedLines {
  readonly #now: () => number;
  readonly #said = new Map<string, Said>();
  #minute = 0;
  #lines = 0;
  #lost = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined: not now. Otherwise how often it was not said since the last time, what had no place among others included. */
  say(what: string): number | undefined {
    const now = this.#now();
    const said = this.#said.get(what);
    if (said !== undefined && now - said.at < EACH_MS && now >= said.at) {
      said.suppressed += 1;
      return undefined;
    }
    if (now - this.#minute >= EACH_MS || now < this.#minute) {
      this.#minute = now;
      this.#lines = 0;
    }
    if (this.#lines >= AT_MOST) {
      this.#lost += 1;
      return undefined;
    }
    this.#lines += 1;
    const suppressed = (said?.suppressed ?? 0) + this.#lost;
    this.#lost = 0;
    this.#said.delete(what);
    this.#said.set(what, { at: now, suppressed: 0 });
    if (this.#said.size > REMEMBERED) {
      const oldest = this.#said.keys().next();
      if (oldest.done !== true) this.#said.delete(oldest.value);
    }
    return suppressed;
  }
}
