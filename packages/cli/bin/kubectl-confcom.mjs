#!/usr/bin/env node
// `kubectl confcom enable` is `confcom addon enable`; every other word is the command's own.
import process from "node:process";
import { fileURLToPath } from "node:url";
import { reExecute, runsHere } from "./runtime.mjs";

const ADDON_VERBS = ["enable", "disable", "update", "show", "list", "list-available", "status"];

const main = new URL("../src/main.ts", import.meta.url);
const given = process.argv.slice(2);
const argv = ADDON_VERBS.includes(given[0]) ? ["addon", ...given] : given;
process.argv.splice(2, given.length, ...argv);
if (runsHere()) await import(main.href);
else reExecute([fileURLToPath(main), ...argv]);
