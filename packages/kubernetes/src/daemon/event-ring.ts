import type { Clock } from "../clock.ts";
import { STATUS_EVENT_LIMIT, type StatusEvent } from "../status/plugin-status.ts";

/** The same event again within this time is not told again, ms. */
const QUIET = 300_000;

/** How many kinds of event are remembered for that. */
const REMEMBERED = 1024;

/** A message is one line of `kubectl describe node`. */
const MESSAGE_LIMIT = 1024;

/** What has happened, newest last; the oldest are forgotten. */
export class EventRing {
  readonly #clock: Clock;
  readonly #events: StatusEvent[] = [];
  readonly #toldAt = new Map<string, number>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `reason` in CamelCase. Answers whether it was taken: not when the same was told a short while ago. */
  add(type: StatusEvent["type"], reason: string, message: string): boolean {
    const now = this.#clock.now();
    const key = `${type} ${reason} ${message}`;
    const told = this.#toldAt.get(key);
    if (told !== undefined && now - told < QUIET) return false;
    if (this.#toldAt.size >= REMEMBERED) this.#toldAt.clear();
    this.#toldAt.set(key, now);
    const time = new Date(now).toISOString();
    this.#events.push({ sequence: ++this.#sequence, time, type, reason, message: message.slice(0, MESSAGE_LIMIT) });
    if (this.#events.length > STATUS_EVENT_LIMIT) this.#events.shift();
    return true;
  }

  list(): readonly StatusEvent[] {
    return [...this.#events];
  }
}
