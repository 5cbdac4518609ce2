import type { Clock } from "../clock.ts";
import { CAPABLE_LABEL } from "../names.ts";
import type { WantedNode } from "./node-patch.ts";

/** As long a node stays labelled after its SGX was seen last, ms: a driver that is loaded again must not cost the quote helper. */
export const LABEL_REMOVAL_DELAY = 15_000;

/** Holds the labels of a capable node through short absences. */
export class LabelHysteresis {
  readonly #clock: Clock;
  #last: { readonly labels: WantedNode["labels"]; readonly at: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** To be called with every new status. */
  apply(wanted: WantedNode): WantedNode {
    const now = this.#clock.now();
    if (wanted.labels[CAPABLE_LABEL] !== null) {
      this.#last = { labels: wanted.labels, at: now };
      return wanted;
    }
    const held = this.#last !== undefined && now - this.#last.at < LABEL_REMOVAL_DELAY;
    return held && this.#last !== undefined ? { ...wanted, labels: this.#last.labels } : wanted;
  }
}
