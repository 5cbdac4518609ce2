import { once } from "node:events";
import { writeSync } from "node:fs";
import { crl, platformKey, wholePlatform } from "../../conformance/sample-rows.ts";
import { openSqliteStore } from "../index.ts";
import { realClock } from "./real-clock.ts";

// Writes until the disk is full, waits for a line on standard input, which says that there is room, and writes on.

const [directory, limit] = process.argv.slice(2);
if (directory === undefined || limit === undefined) throw new Error("usage: DIRECTORY LIMIT");
const store = await openSqliteStore({ directory, clock: realClock });
const say = (what: object) => writeSync(1, `${JSON.stringify(what)}\n`);

const acknowledged: number[] = [];
const write = async (n: number) => {
  await store.write([...wholePlatform(n), { put: "crl", url: `https://crl.example/${n}`, crl: crl(1, 20_000) }]);
  acknowledged.push(n);
};
/** How many of the acknowledged platforms the store still has, and how many it has in all. */
const kept = async () => {
  const there = await Promise.all(acknowledged.map((n) => store.platform(platformKey(n))));
  return { kept: there.filter((row) => row !== undefined).length, platforms: (await store.counts()).platforms };
};
const failure = (work: Promise<void>) =>
  work.then(
    () => "none",
    (error: unknown) => String((error as { code?: unknown }).code),
  );

let code = "none";
for (let n = 0; n < Number(limit) && code === "none"; n++) code = await failure(write(n));
say({ code, ready: await failure(store.ping()), acknowledged: acknowledged.length, ...(await kept()) });
await once(process.stdin, "data");
const retried = await failure(write(10_000));
say({ code: retried, ready: await failure(store.ping()), acknowledged: acknowledged.length, ...(await kept()) });
await store.close();
process.exit(0);
