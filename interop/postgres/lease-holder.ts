/** A replica in a process of its own: reads the database's URL, takes leases and holds them until it is killed. */
import { text } from "node:stream/consumers";
import { openStore } from "./open-store.ts";

const store = await openStore(await text(process.stdin), { owner: "to be killed" });
for (let n = 0; n < 20; n++) await store.leases.acquire(`key ${n}`, 60_000);
process.stdout.write("held\n");
