import type { ProviderEvent } from "@confcom/collateral";
import type { LogLevel } from "@confcom/collateral/configuration";

const ORDER: Readonly<Record<LogLevel, number>> = { ERROR: 0, WARNING: 1, INFO: 2 };

/** One line of what a provider did, undefined for what this level leaves out. */
export function eventLine(event: ProviderEvent, level: LogLevel): string | undefined {
  const [of, text] = eventText(event);
  if (ORDER[of] > ORDER[level]) return undefined;
  // A failure of one source is a warning to people: another one may have the answer.
  return `${of === "INFO" ? "info" : "warning"}: ${text}`;
}

function eventText(event: ProviderEvent): readonly [LogLevel, string] {
  switch (event.kind) {
    case "failed":
    case "cache-failed":
      return ["ERROR", event.message];
    case "stale": {
      const minutes = Math.ceil(event.expiredForMs / 60_000);
      return ["WARNING", `${event.key} from ${event.source} is used although it expired ${minutes} minutes ago`];
    }
    case "cache-refused":
      return ["WARNING", `a cached ${event.key} was removed: ${event.message}`];
    case "older":
      return ["WARNING", `${event.source} offered an older ${event.key}`];
    case "hit":
      return ["INFO", `${event.key} from the cache`];
    case "miss":
      return ["INFO", `${event.key} is not in the cache, or no longer fresh`];
    case "fetched":
      return ["INFO", `${event.key} from ${event.source} in ${event.ms} ms`];
    case "refreshed":
      return ["INFO", `${event.key} was replaced by what ${event.source} has`];
  }
}
