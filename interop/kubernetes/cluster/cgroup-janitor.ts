import { spawn } from "node:child_process";
import { CGROUP_MOUNT } from "./cgroups.ts";
import { shellWord } from "./machine-script.ts";

/**
 * Removes `tree` from every cgroup hierarchy when its standard input ends, which the kernel sees to however the writer ends.
 * Processes die in their own time, so it tries for ten seconds. A line on its standard input dismisses it: a tree of that name
 * may be the next cluster's by then.
 */
export function janitorScript(tree: string): string {
  return `! read -r _ || exit 0
tries=0
while [ $tries -lt 100 ]; do
  left=
  for top in ${CGROUP_MOUNT}/${shellWord(tree)} ${CGROUP_MOUNT}/*/${shellWord(tree)}; do
    [ -d "$top" ] || continue
    find "$top" -depth -type d -exec rmdir {} + 2>/dev/null
    [ ! -d "$top" ] || left=1
  done
  [ -n "$left" ] || exit 0
  sleep 0.1
  tries=$((tries + 1))
done
`;
}

/** Starts it in a session of its own. It waits until the process that calls this is gone, be it by SIGKILL, or dismisses it. */
export function startJanitor(tree: string): { dismiss(): void } {
  const child = spawn("sh", ["-c", janitorScript(tree)], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  child.stdin.on("error", () => {});
  child.once("error", () => {});
  return { dismiss: () => child.stdin.end("done\n") };
}
