// A process that starts the software platform on a state directory, makes its key and says so, for kill-nine.ts to kill.
// Lines on standard output, each written before anything else happens: "loaded", "key <pub_key_id in hex>", and at the
// end "done <file operations>". Given a number of operations, the process kills itself with SIGKILL before the next one.
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import process from "node:process";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import { openSoftwarePlatform } from "../software/software-platform.ts";
import { nodeFileSystem, StateDirectory, type StateFileSystem } from "../state/index.ts";

const [path, profile, limit] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
if (path === undefined || (profile !== "private" && profile !== "sdk-simulation")) {
  process.stderr.write("usage: key-creation.ts STATE private|sdk-simulation [OPERATIONS]\n");
  process.exit(64);
}

const operations = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
let done = 0;
const counting = new Proxy<StateFileSystem>(nodeFileSystem, {
  get(target, name: keyof StateFileSystem) {
    if (done++ >= operations) process.kill(process.pid, "SIGKILL");
    return target[name];
  },
});

// The code is there; from here on every moment belongs to the state.
await import("../software/provisioning/index.ts");
await import("../software/provisioning/issuing/index.ts");
say("loaded");
const platform = await openSoftwarePlatform({
  state: StateDirectory.open(path, counting),
  profile,
  now: () => new Date(),
  random: (size) => randomBytes(size),
  warn: (message) => process.stderr.write(`${message}\n`),
});
const { pubKeyId } = await platform.initQuote(ECDSA_P256_KEY_ID);
say(`key ${toHex(pubKeyId)}`);
await platform.reload();
say(`done ${done}`);
