import { homedir } from "node:os";
import { join } from "node:path";

/** Where layers and archives stay between builds: `$XDG_CACHE_HOME/confcom/images`. */
export function imageCache(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "confcom", "images");
}
