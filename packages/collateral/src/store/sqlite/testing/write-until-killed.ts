import { writeSync } from "node:fs";
import { wholePlatform } from "../../conformance/sample-rows.ts";
import { openSqliteStore } from "../index.ts";
import { realClock } from "./real-clock.ts";

// Writes platforms one batch each, many at once, and prints the number of each that was acknowledged.

const [directory, count] = process.argv.slice(2);
if (directory === undefined || count === undefined) throw new Error("usage: DIRECTORY COUNT");
const store = await openSqliteStore({ directory, clock: realClock });
writeSync(1, "open\n");
for (let n = 0; n < Number(count); n += 10) {
  await Promise.all(
    Array.from({ length: 10 }, (_, k) => store.write(wholePlatform(n + k)).then(() => writeSync(1, `${n + k}\n`))),
  );
}
// Holds the directory until it is killed.
setInterval(() => undefined, 60_000);
