import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { storeFacts } from "../conformance/index.ts";
import { openSqliteStore } from "./open-sqlite-store.ts";
import { realClock } from "./testing/real-clock.ts";

const scratch = mkdtempSync(join(tmpdir(), "confcom-sqlite-"));
after(() => rmSync(scratch, { recursive: true, force: true }));

let next = 0;
storeFacts("sqlite", () => openSqliteStore({ directory: join(scratch, String(next++)), clock: realClock }));
