import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";
import { KILL_AT_WRITE } from "./killed-command.ts";

// Loaded into a command with --import: kills it as soon as the API server has answered its n-th write, so that n objects
// are written and one that is killed there has not learned of the last.

let left = Number(process.env[KILL_AT_WRITE]);

subscribe("http.client.response.finish", (message) => {
  const { method, path } = (message as { request: ClientRequest }).request;
  if (method === "GET" || path.includes("dryRun=All")) return;
  if (--left === 0) process.kill(process.pid, "SIGKILL");
});
