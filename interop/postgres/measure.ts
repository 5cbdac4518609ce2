import { startPostgres } from "@confcom/collateral/store/postgres/testing";
import { expect } from "../check.ts";
import { openStore } from "./open-store.ts";
import { chain, rawTcb, wholePlatform } from "./rows.ts";

const PLATFORMS = 10_000;
const AT_ONCE = 400;
const READS = 5_000;
const LANES = 16;

/** Imports platforms with certificates of Intel's size, and reads answers to /pckcert; what it took, in words. */
export async function measure(): Promise<string> {
  const server = await startPostgres();
  try {
    const store = await openStore(await server.createDatabase());
    try {
      await store.write([chain]);
      const importing = performance.now();
      for (let start = 0; start < PLATFORMS; start += AT_ONCE) {
        await store.write(Array.from({ length: AT_ONCE }, (_, n) => wholePlatform(start + n)).flat());
      }
      const rows = (3 * PLATFORMS) / ((performance.now() - importing) / 1_000);
      expect((await store.counts()).certificates === PLATFORMS, "not every certificate was imported");

      const answer = async (n: number) => {
        const found = await store.pckAnswer(rawTcb((n * 7_919) % PLATFORMS));
        expect(found !== undefined, "an imported platform has no answer");
      };
      for (let n = 0; n < READS / 5; n++) await answer(n);
      const alone = performance.now();
      for (let n = 0; n < READS; n++) await answer(n);
      const each = ((performance.now() - alone) / READS) * 1_000;
      const together = performance.now();
      let next = 0;
      const lane = async () => {
        while (next < READS) await answer(next++);
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const each16 = ((performance.now() - together) / READS) * 1_000;
      return (
        `${server.version}: import of ${Math.round(rows)} rows/s (batches of ${3 * AT_ONCE}, durable); ` +
        `an answer in ${each.toFixed(0)} us one after the other, ${each16.toFixed(0)} us each with ${LANES} at once`
      );
    } finally {
      await store.close();
    }
  } finally {
    await server.close();
  }
}
