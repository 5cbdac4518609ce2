import type { ChangeListener, StoreChange } from "./store.ts";

/** Who is told of commits. One that fails does not keep the others from hearing, nor makes a write that is durable fail. */
export class ChangeListeners {
  readonly #listeners = new Set<ChangeListener>();
  readonly #name: string;
  readonly #report: (line: string) => void;

  /** `name`: the store's, for what is reported. */
  constructor(name: string, report: (line: string) => void) {
    this.#name = name;
    this.#report = report;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Returns what ends the subscription. */
  add(listener: ChangeListener): () => void {
    // Its own function, so that the same listener twice is two subscriptions.
    const subscription: ChangeListener = (changes) => listener(changes);
    this.#listeners.add(subscription);
    return () => void this.#listeners.delete(subscription);
  }

  tell(changes: readonly StoreChange[] | undefined): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener(changes);
      } catch (error) {
        this.#report(`${this.#name}: a listener failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  clear(): void {
    this.#listeners.clear();
  }
}
