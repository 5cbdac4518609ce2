// open-in-process.ts STATE_DIRECTORY DAY: opens the authority that many days after the start, and prints whether the
// certificate library was loaded (its decorator metadata is global).
import { randomBytes } from "node:crypto";
import { nodeFileSystem, StateDirectory } from "../../../state/index.ts";
import { openProvisioningAuthority } from "../open-authority.ts";
import { BINDING, DAY_MS, QE, START } from "./temporary-authority.ts";

const [path, day] = process.argv.slice(2) as [string, string];
await openProvisioningAuthority({
  state: StateDirectory.open(path, nodeFileSystem),
  now: () => new Date(START.getTime() + Number(day) * DAY_MS),
  random: (size) => randomBytes(size),
  qe: QE,
  binding: BINDING,
});
console.log("getMetadata" in Reflect ? "loaded" : "not loaded");
