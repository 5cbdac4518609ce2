#!/usr/bin/env node
import process from "node:process";
import { fileURLToPath } from "node:url";
import { reExecute, runsHere } from "../../packages/cli/bin/runtime.mjs";

const main = new URL("confcom-dev.ts", import.meta.url);
if (runsHere()) await import(main.href);
else reExecute([fileURLToPath(main), ...process.argv.slice(2)]);
