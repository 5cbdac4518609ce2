import type { Clock } from "@confcom/collateral";
import type { RefusedRequest, ServiceEvent } from "@confcom/collateral/service";
import type { Logger } from "pino";
import { RepeatedLines } from "./repeated-lines.ts";

/** Said in the log at all: the others are a client's own affair, and in the access log. */
const WORTH_SAYING: Readonly<Partial<Record<number, "info" | "warn" | "error">>> = {
  400: "info",
  404: "info",
  460: "warn",
  461: "info",
  462: "info",
  500: "error",
  502: "warn",
  503: "warn",
};

/** The upstream's answer, not its failure. */
const SAYS_NO: ReadonlySet<string> = new Set(["NOT_FOUND", "PLATFORM_UNKNOWN", "CERTIFICATES_UNAVAILABLE"]);

/** What happens in the service, for its operator: causes in words, each once a minute, however many requests meet it. */
export class ServiceLog {
  readonly #log: Logger;
  readonly #repeated: RepeatedLines;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#repeated = new RepeatedLines(() => clock.now());
  }

  event(event: ServiceEvent): void {
    const { event: kind, ...facts } = event;
    if (event.event === "upstream" && event.outcome !== "ok") {
      this.#say(
        SAYS_NO.has(event.outcome) ? "info" : "warn",
        facts,
        `${event.operation} from ${event.source} failed: ${event.reason}`,
      );
    } else if (event.event === "refresh") {
      this.#log[event.outcome === "failed" ? "warn" : "info"](facts, `refresh of ${event.what}: ${event.outcome}`);
    } else if (event.event === "refresh-progress") {
      this.#log.info(facts, `refresh of certificates: ${event.seen} platforms so far`);
    } else if (event.event === "hit" && event.stale) {
      this.#say("warn", { kind: event.kind }, `${event.kind} is served past its end: there is nothing newer`);
    } else this.#log.debug(facts, kind);
  }

  /** A request that was answered with a refusal. */
  refused({ status, method, path, key, reason, id }: RefusedRequest): void {
    const level = WORTH_SAYING[status];
    if (level === undefined) return;
    this.#say(level, { status, id, ...(key === "" ? {} : { key }) }, `${method} ${path} answered ${status}: ${reason}`);
  }

  /** A sentence is the same when its words are: what differs from request to request belongs into the facts. */
  #say(level: "info" | "warn" | "error", facts: object, sentence: string): void {
    if (!this.#log.isLevelEnabled(level)) return;
    const suppressed = this.#repeated.say(sentence.replace(/\(Request-ID [^)]*\)/g, ""));
    if (suppressed === undefined) return;
    this.#log[level](suppressed === 0 ? facts : { ...facts, suppressed }, sentence);
  }
}
