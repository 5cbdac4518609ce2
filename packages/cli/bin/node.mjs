#!/usr/bin/env node
// `node` for the project's own scripts: the running Node when it is new enough, else the pinned one.
import process from "node:process";
import { pinnedNode, reExecute, runsHere } from "./runtime.mjs";

const argv = process.argv.slice(2);
if (runsHere() && pinnedNode() === undefined) {
  const { spawnSync } = await import("node:child_process");
  const { status } = spawnSync(process.execPath, argv, { stdio: "inherit" });
  process.exit(status ?? 70);
}
reExecute(argv);
