import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import type { AnswerTo, CollateralAnswer } from "../answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import { CollateralError } from "../errors.ts";
import type { CertificationCa, CollateralRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { softwarePki } from "../testing/software-pki.ts";
import { TEST_TCB_LEVELS } from "../testing/test-documents.ts";
import { collateralForQuote, type QuoteCollateral } from "./collateral-for-quote.ts";
import { CollateralProvider } from "./collateral-provider.ts";
import type { ProviderEvent } from "./events.ts";
import { quoteNeeds } from "./quote-needs.ts";

// One quote's collateral is one set; and what is held is never gone back behind. Documents are of a test PKI.
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const QUOTE = readFileSync(
  new URL("../../../verify/src/fixtures/real/quotes/sgx_v3_f8b81014b6e4.bin", import.meta.url),
);
const { fmspc, ca } = quoteNeeds(QUOTE).platform as { readonly fmspc: string; readonly ca: CertificationCa };
const TCB_INFO = { kind: "tcb-info", tee: "sgx", fmspc, update: "standard", version: 4 } as const;
const IDENTITY = { kind: "identity", id: "QE", update: "standard", version: 4 } as const;
const PCK_CRL = { kind: "pck-crl", ca } as const;

function setUp() {
  const clock = new ManualClock();
  const pki = softwarePki({ clock });
  pki.levels.set(fmspc, TEST_TCB_LEVELS);
  const asked: CollateralRequest["kind"][] = [];
  const events: ProviderEvent[] = [];
  let behaviour = async (request: CollateralRequest): Promise<CollateralAnswer | undefined> => pki.answer(request);
  const source: CollateralSource = {
    kind: "pcs",
    name: "pcs",
    async fetch<R extends CollateralRequest>(request: R) {
      asked.push(request.kind);
      const answer = await behaviour(request);
      if (answer === undefined) throw new CollateralError("NOT_FOUND", "none");
      return { answer: answer as AnswerTo<R> };
    },
  };
  const provider = new CollateralProvider({
    sources: [source],
    trustedRoots: [pki.trustedRoot],
    clock,
    random: () => 0.5,
    report: (event) => events.push(event),
    collateralCacheMs: HOUR,
  });
  const behave = (next: typeof behaviour) => {
    behaviour = next;
  };
  return { clock, pki, asked, events, provider, behave };
}

const evaluations = ({ parts }: QuoteCollateral) =>
  parts.map(({ facts }) => facts.tcbEvaluationDataNumber).filter((number) => number !== undefined);

describe("TCB info and identity of one set", () => {
  it("are of one evaluation: the one that was kept from before is asked for again", async () => {
    for (const [before, changed] of [
      [IDENTITY, "identity"],
      [TCB_INFO, "tcb-info"],
    ] as const) {
      const { pki, provider, asked } = setUp();
      await provider.get(before);
      pki.evaluation.standard++;
      const set = await collateralForQuote(provider, QUOTE);
      assert.deepEqual(evaluations(set), [18, 18]);
      assert.equal(asked.filter((kind) => kind === changed).length, 2);
    }
  });

  it("are given as they are where the sources have one of them only, and asked for no more than once", async () => {
    const { pki, provider, asked, behave } = setUp();
    await provider.get(IDENTITY);
    pki.evaluation.standard++;
    behave(async (request) =>
      request.kind === "identity" ? pki.identity({ tcbEvaluationDataNumber: 17 }) : pki.answer(request),
    );
    assert.deepEqual(evaluations(await collateralForQuote(provider, QUOTE)), [17, 18]);
    assert.equal(asked.filter((kind) => kind === "identity").length, 2);
    behave(async (request) => (request.kind === "identity" ? undefined : pki.answer(request)));
    assert.deepEqual(evaluations(await collateralForQuote(provider, QUOTE)), [17, 18]);
  });

  it("that were both fetched just now are not asked for again, whatever their numbers", async () => {
    const { pki, provider, asked, behave } = setUp();
    behave(async (request) =>
      request.kind === "identity" ? pki.identity({ tcbEvaluationDataNumber: 16 }) : pki.answer(request),
    );
    assert.deepEqual(evaluations(await collateralForQuote(provider, QUOTE)), [16, 17]);
    assert.equal(asked.filter((kind) => kind === "identity").length, 1);
  });

  it("of which one is replaced while the others are collected are collected again", async () => {
    const { clock, pki, provider, behave } = setUp();
    let replaced = false;
    behave(async (request) => {
      if (request.kind === "root-ca-crl" && !replaced) {
        replaced = true;
        clock.advance(1000);
        await provider.refreshed(PCK_CRL);
      }
      return pki.answer(request);
    });
    const { collateral, parts } = await collateralForQuote(provider, QUOTE);
    assert.ok(replaced);
    const held = await provider.get(PCK_CRL);
    assert.equal(collateral.pck_crl, Buffer.from(held.answer.crl).toString("hex"));
    assert.equal(parts.find(({ answer }) => answer.kind === "pck-crl")?.facts.issued, clock.now());
  });
});

describe("a CRL", () => {
  const numberOf = ({ facts }: { readonly facts: AnswerFacts }) => facts.crlNumber;

  it("of a lower number never replaces one of a higher: not while that is valid, and not after", async () => {
    const { clock, pki, provider, behave, events } = setUp();
    const newer = pki.pckCrl(ca, { number: 9 });
    behave(async () => newer);
    const { facts } = await provider.get(PCK_CRL);
    // Later dates do not make up for it: what it lacks may be the revocation that matters.
    behave(async () => pki.pckCrl(ca, { number: 8, issued: clock.now(), nextUpdate: clock.now() + 90 * DAY }));
    clock.advance(2 * HOUR);
    assert.equal(numberOf(await provider.get(PCK_CRL)), 9);
    assert.ok(events.some(({ kind }) => kind === "older"));
    clock.set(facts.nextUpdate + DAY);
    const stale = await provider.get(PCK_CRL);
    assert.deepEqual([numberOf(stale), stale.stale], [9, true]);
    clock.set(facts.nextUpdate + 8 * DAY);
    await assert.rejects(provider.get(PCK_CRL), /CRL number 8, which is before number 9/);
  });

  it("of a higher number replaces one that is valid for longer", async () => {
    const { clock, pki, provider, behave } = setUp();
    behave(async () => pki.pckCrl(ca, { number: 8, nextUpdate: clock.now() + 90 * DAY }));
    await provider.get(PCK_CRL);
    behave(async () => pki.pckCrl(ca, { number: 9, issued: clock.now() - HOUR }));
    clock.advance(2 * HOUR);
    assert.equal(numberOf(await provider.get(PCK_CRL)), 9);
  });
});
