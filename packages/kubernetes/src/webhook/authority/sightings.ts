/** Since when something has been so, as this replica saw it: no two machines' clocks are compared. */
export class Sightings {
  #since: ReadonlyMap<string, number> = new Map();

  /** Takes note of all that is so now; what is not named any more is forgotten. */
  see(keys: Iterable<string>, now: number): void {
    this.#since = new Map([...keys].map((key) => [key, this.#since.get(key) ?? now]));
  }

  /** Milliseconds; undefined for what is not so now. */
  howLong(key: string, now: number): number | undefined {
    const since = this.#since.get(key);
    return since === undefined ? undefined : Math.max(0, now - since);
  }
}
