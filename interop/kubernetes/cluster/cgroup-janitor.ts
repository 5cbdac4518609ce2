import { spawn } from "node:child_process";
import { CGROUP_MOUNT } from "./cgroups.ts";
import { shellWord } from "./machine-script.ts";

/**
 * Removes `tree` from every cgroup hierarchy when its standard input ends, which the kernel sees to however the writer ends.
 * Processes die in their own time, so it tries for ten seconds.
 */
export function janitorScript(tree: string): string {
  return `read -r _
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

/** Starts it in a session of its own. It stays until the process that calls this is gone, be it by SIGKILL. */
export function startJanitor(tree: string): void {
  const child = spawn("sh", ["-c", janitorScript(tree)], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
  child.unref();
  child.stdin.on("error", () => {});
  child.once("error", () => {});
}
