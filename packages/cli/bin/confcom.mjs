#!/usr/bin/env node
import process from "node:process";
import { fileURLToPath } from "node:url";
import { reExecute, runsHere } from "./runtime.mjs";

const main = new URL("../src/main.ts", import.meta.url);
if (runsHere()) await import(main.href);
else reExecute([fileURLToPath(main), ...process.argv.slice(2)]);
