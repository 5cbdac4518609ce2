import assert from "node:assert/strict";
import { it } from "node:test";
import type { ProviderEvent } from "@confcom/collateral";
import { eventLine } from "./event-line.ts";

const EVENTS: readonly ProviderEvent[] = [
  { kind: "failed", key: "tcb-info", source: "pccs", code: "NOT_FOUND", message: "pccs answered 404" },
  { kind: "cache-failed", message: "full" },
  { kind: "stale", key: "tcb-info", expiredForMs: 61_000, source: "pccs" },
  { kind: "cache-refused", key: "tcb-info", message: "not signed" },
  { kind: "older", key: "tcb-info", source: "pccs" },
  { kind: "hit", key: "tcb-info" },
  { kind: "miss", key: "tcb-info" },
  { kind: "fetched", key: "tcb-info", source: "pccs", ms: 5 },
  { kind: "refreshed", key: "tcb-info", source: "pccs" },
];

it("a level says what its name says and what is worse", () => {
  const said = (level: "INFO" | "WARNING" | "ERROR") =>
    EVENTS.filter((event) => eventLine(event, level) !== undefined).map(({ kind }) => kind);
  assert.deepEqual(said("ERROR"), ["failed", "cache-failed"]);
  assert.deepEqual(said("WARNING"), ["failed", "cache-failed", "stale", "cache-refused", "older"]);
  assert.equal(said("INFO").length, EVENTS.length);
});

it("a line names what it is about", () => {
  assert.equal(eventLine(EVENTS[0] as ProviderEvent, "ERROR"), "warning: pccs answered 404");
  assert.match(eventLine(EVENTS[2] as ProviderEvent, "INFO") ?? "", /^warning: tcb-info from pccs .* 2 minutes ago$/);
  assert.equal(eventLine(EVENTS[7] as ProviderEvent, "INFO"), "info: tcb-info from pccs in 5 ms");
});
