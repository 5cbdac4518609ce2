/**
 * Runs in a pod that holds a quote slot, and asks for quotes without pause: some lanes with the client library as an
 * application would, one lane raw, one connection and no second attempt, which is what sees a gap.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { AesmClient } from "@confcom/aesm";
import { createQuoteProvider } from "@confcom/quoting";
import { createSoftwareEnclave } from "@confcom/quoting/software";
import type { LoadLine } from "./report-line.ts";

const LIBRARY_LANES = 3;
const LIBRARY_PAUSE = 25;
const RAW_PAUSE = 20;
const TICK = 250;

const enclave = createSoftwareEnclave({
  identity: {
    mrEnclave: new Uint8Array(32).fill(1),
    mrSigner: new Uint8Array(32).fill(2),
    isvProdId: 1,
    isvSvn: 1,
  },
});
const totals = { raw: 0, rawFailed: 0, quotes: 0, quotesFailed: 0 };
let ended = false;
let pubKeyId = "";

function end(): void {
  ended = true;
}

function say(line: LoadLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function sawKey(id: Uint8Array): void {
  const hex = Buffer.from(id).toString("hex");
  if (hex === pubKeyId) return;
  pubKeyId = hex;
  say({ kind: "key", at: Date.now(), pubKeyId });
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

async function libraryLane(): Promise<void> {
  const provider = createQuoteProvider({ env: process.env });
  while (!ended) {
    const started = Date.now();
    try {
      const report = enclave.report(await provider.getTargetInfo(), new Uint8Array(64).fill(7));
      await provider.getQuote(report, await provider.getQuoteSize());
      totals.quotes++;
    } catch (error) {
      totals.quotesFailed++;
      say({ kind: "failure", at: Date.now(), after: Date.now() - started, reason: reasonOf(error) });
    }
    await sleep(LIBRARY_PAUSE);
  }
  await provider.close();
}

async function rawLane(): Promise<void> {
  const client = new AesmClient({ connectAttempts: 1, timeoutMs: 2000 });
  let gap: { from: number; failed: number; reason: string } | undefined;
  while (!ended) {
    const started = Date.now();
    try {
      sawKey((await client.initQuote(undefined, { pubKeyIdSize: 32 })).pubKeyId);
      totals.raw++;
      if (gap !== undefined) say({ kind: "gap", to: Date.now(), ...gap });
      gap = undefined;
    } catch (error) {
      totals.rawFailed++;
      gap ??= { from: started, failed: 0, reason: reasonOf(error) };
      gap.failed++;
    }
    await sleep(RAW_PAUSE);
  }
}

for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, end);
const ticks = setInterval(() => say({ kind: "tick", at: Date.now(), totals }), TICK);
await Promise.all([rawLane(), ...Array.from({ length: LIBRARY_LANES }, libraryLane)]);
clearInterval(ticks);
say({ kind: "tick", at: Date.now(), totals });
