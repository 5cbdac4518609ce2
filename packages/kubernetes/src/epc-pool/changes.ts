/** Those who want to know that something changed. */
export class Changes {
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    // A wrapper, so that one function may be subscribed twice and each subscription ended by itself.
    const entry = () => listener();
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  };

  announce(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}
