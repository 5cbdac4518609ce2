import type { ServerEvent } from "@confcom/aesm";
import pino, { type Logger } from "pino";
import type { LogLevel } from "./configuration.ts";
import { standardError } from "./log-stream.ts";

/** Structured log on standard error, written before the call returns: a daemon that dies has said why. */
export function createLog(level: LogLevel): Logger {
  return pino({ name: "confcom", level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, standardError());
}

/** One line for each kind of thing the server tells its operator. */
export function logServerEvent(log: Logger, event: ServerEvent): void {
  const { kind, ...facts } = event;
  if (event.kind === "refused")
    log.warn(facts, `${event.operation} answered ${event.code} ${event.name}: ${event.cause}`);
  else if (event.kind === "dropped") log.warn(facts, `connection dropped: ${event.reason}`);
  else log.error(facts, kind);
}
