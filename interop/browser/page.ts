/** The script of the test page: asks its server what to verify, verifies it with the page's WebCrypto, reports. */
import { type SubtleCryptoLike, verifyQuoteAsync, webCrypto } from "@confcom/verify";
import { pageAnswer } from "./answer.ts";
import type { PageAnswer, PageQuestion, PageReport } from "./question.ts";

function bytes(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

async function answers(): Promise<PageAnswer[]> {
  const questions = (await (await fetch("/questions")).json()) as PageQuestion[];
  const provider = webCrypto(crypto.subtle as unknown as SubtleCryptoLike);
  const all: PageAnswer[] = [];
  for (const { quote, collateral, trustedRoot, now } of questions) {
    const terms = { now: new Date(now * 1000), trustedRoots: [bytes(trustedRoot)], crypto: provider };
    all.push(pageAnswer(await verifyQuoteAsync(bytes(quote), collateral, terms)));
  }
  return all;
}

const { userAgent } = navigator;
const report: PageReport = await answers().then(
  (all) => ({ answers: all, error: undefined, userAgent }),
  (error: unknown) => ({ answers: [], error: String(error), userAgent }),
);
await fetch("/report", { method: "POST", body: JSON.stringify(report) });
