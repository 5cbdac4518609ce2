// A process that starts the software platform on a state directory, makes its key and says so, for kill-nine.ts to kill.
// Lines on standard output, each written before anything else happens: "loaded", "key <pub_key_id in hex>", "done".
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import process from "node:process";
import { ECDSA_P256_KEY_ID, toHex } from "@confcom/sgx";
import { openSoftwarePlatform } from "../software/software-platform.ts";
import { nodeFileSystem, StateDirectory } from "../state/index.ts";

const [path, profile] = process.argv.slice(2);
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
if (path === undefined || (profile !== "private" && profile !== "sdk-simulation")) {
  process.stderr.write("usage: key-creation.ts STATE private|sdk-simulation\n");
  process.exit(64);
}

// The code is there; from here on every moment belongs to the state.
await import("../software/provisioning/index.ts");
say("loaded");
const platform = await openSoftwarePlatform({
  state: StateDirectory.open(path, nodeFileSystem),
  profile,
  now: () => new Date(),
  random: (size) => randomBytes(size),
  warn: (message) => process.stderr.write(`${message}\n`),
});
const { pubKeyId } = await platform.initQuote(ECDSA_P256_KEY_ID);
say(`key ${toHex(pubKeyId)}`);
await platform.reload();
say("done");
