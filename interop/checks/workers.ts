import { readdirSync, readFileSync } from "node:fs";
import { type Check, expect, expectEqual } from "../check.ts";
import { bytesField } from "../frame.ts";
import { AesmAnswer, CAPTURED, call, getQuote, getQuoteSize, initQuote, type Scene } from "../scene.ts";

const ROUNDS = 10_000;
const LANES = 8;
const FRESH_STATES = 8;
const FIRST_CALLERS = 16;

export const workers: readonly Check<Scene>[] = [
  {
    name: `init, size and quote on different workers, ${ROUNDS.toLocaleString("en")} rounds: never 42`,
    deadline: 600_000,
    async run(scene) {
      // All event loops awake: with spare ones asleep a client in one process would be served by one loop alone.
      const { helper, pubKeyId, quoteSize, report } = await scene.makeSubject({ spareLoops: false });
      const before = threadTicks(helper.process.pid);
      let rounds = 0;
      const lane = async (): Promise<void> => {
        while (rounds < ROUNDS) {
          rounds++;
          const init = await call(helper.socket, rounds % 2 === 0 ? CAPTURED.init() : CAPTURED.gramineInit());
          expectEqual(Buffer.from(bytesField(init, 4) ?? []).toString("hex"), pubKeyId, "pub_key_id");
          expectEqual(await getQuoteSize(helper.socket), quoteSize, "quote size");
          await getQuote(helper.socket, report, quoteSize);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const busy = busyThreads(before, threadTicks(helper.process.pid));
      expect(busy >= 2, "one thread did all the work: nothing was shown about different workers");
      return `${3 * rounds} connections, ${LANES} at a time, ${busy} threads at work; no error of any kind`;
    },
  },
  {
    name: "fresh state and concurrent first inits: one key, never 42 after an init",
    deadline: 480_000,
    async run(scene) {
      const { report } = await scene.subject();
      for (let state = 0; state < FRESH_STATES; state++) {
        const helper = await scene.startFresh({ workers: 2 + (state % 3), spareLoops: state % 2 === 0 });
        expectEqual(await errorCode(getQuoteSize(helper.socket)), 42, "get_quote_size_ex before any init");
        expectEqual(await errorCode(getQuote(helper.socket, report, 8192)), 42, "get_quote_ex before any init");
        const firstCaller = async (): Promise<string> => {
          const { pubKeyId } = await initQuote(helper.socket);
          const sizes = await Promise.all(Array.from({ length: 4 }, () => getQuoteSize(helper.socket)));
          // The quoting enclave's target info is the same for every installation, so the subject's report is good here.
          await Promise.all(sizes.map((size) => getQuote(helper.socket, report, size)));
          return pubKeyId;
        };
        const ids = new Set(await Promise.all(Array.from({ length: FIRST_CALLERS }, firstCaller)));
        expectEqual(ids.size, 1, "different pub_key_ids handed out by one platform");
        await helper.stop();
      }
      return `${FRESH_STATES} fresh states x ${FIRST_CALLERS} first callers at once, 2 to 4 workers; 42 before, never after`;
    },
  },
];

async function errorCode(answer: Promise<unknown>): Promise<number> {
  return answer.then(
    () => 0,
    (error: unknown) => {
      if (error instanceof AesmAnswer) return error.code;
      throw error;
    },
  );
}

/** CPU ticks of each thread of a process, where /proc tells; empty elsewhere. */
function threadTicks(pid: number | undefined): Map<string, number> {
  const ticks = new Map<string, number>();
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks.set(thread, Number(fields[11]) + Number(fields[12]));
  }
  return ticks;
}

/** Threads that used at least a tenth of what the process used in between. */
function busyThreads(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  const used = [...after].map(([thread, ticks]) => ticks - (before.get(thread) ?? 0));
  const total = used.reduce((sum, ticks) => sum + ticks, 0);
  return used.filter((ticks) => ticks * 10 >= total && ticks > 0).length;
}
