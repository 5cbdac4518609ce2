import type { ProviderEvent } from "@confcom/collateral";

/**
 * Failures of the only source there is, until it is known whether the command's own error says the same: a cause is said once.
 * With more sources each failure is said when it happens, as the next one may take its time.
 */
export class HeldWarnings {
  readonly #held: { readonly message: string; readonly line: string }[] = [];
  readonly #say: (line: string) => void;
  readonly #only: boolean;

  constructor(sources: number, say: (line: string) => void) {
    this.#only = sources === 1;
    this.#say = say;
  }

  event(event: ProviderEvent, line: string): void {
    if (this.#only && event.kind === "failed") this.#held.push({ message: event.message, line });
    else this.#say(line);
  }

  /** `failure`: what the command ends with. */
  end(failure?: unknown): void {
    const said = failure instanceof Error ? failure.message : "";
    for (const { message, line } of this.#held.splice(0)) if (!said.includes(message)) this.#say(line);
  }
}
