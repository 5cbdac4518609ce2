import type { Collateral } from "@confcom/sgx";
import type { VerificationCrypto } from "../crypto.ts";
import { VerifyError } from "../errors.ts";
import { createVerificationCache } from "../memory.ts";
import type { VerificationResult } from "../result.ts";
import { type Base, isSignedAgain, type MutationKind } from "../testing/mutated-subject.ts";
import type { Subject } from "../testing/subject.ts";
import { validate } from "../validate.ts";
import { createVerifier, type Verifier, verifyQuote } from "../verifier.ts";
import { type CryptoWork, countedCrypto, exceeded, workLimit } from "./counted-crypto.ts";
import { type FuzzInput, fuzzInput } from "./fuzz-input.ts";
import { assertedFacts, resultProblem } from "./result-facts.ts";

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Number of the first input; 0 if absent. */
  readonly first?: number;
  readonly bases: readonly Base[];
  readonly crypto: VerificationCrypto;
  /** Milliseconds. */
  readonly clock: () => number;
  /** Called after every `progressEvery` inputs; false ends the run. */
  readonly onProgress?: (done: number) => boolean;
  readonly progressEvery?: number;
}

export interface KindReport {
  inputs: number;
  accepted: number;
  /** Refused by a result, or by an error of the one class allowed. */
  refused: number;
  milliseconds: number;
}

export interface SlowestInput {
  readonly index: number;
  readonly kind: string;
  readonly milliseconds: number;
}

export interface FuzzFailure {
  readonly index: number;
  readonly kind: string;
  readonly problem: string;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly seed: number;
  readonly milliseconds: number;
  readonly kinds: Readonly<Record<string, KindReport>>;
  /** The slowest of the usual inputs, and of the ones made as large as allowed. */
  readonly slowest: SlowestInput | undefined;
  readonly slowestLarge: SlowestInput | undefined;
  /** The most that one verification asked of the crypto provider. */
  readonly mostWork: Readonly<CryptoWork>;
  readonly failures: readonly FuzzFailure[];
}

/** One in so many verifications is done again by a verifier that remembers nothing. */
const REPEAT_EVERY = 64;
const MAX_FAILURES = 20;

function inputBytes({ quote }: Subject, collateral: unknown): number {
  if (typeof collateral !== "object" || collateral === null) return quote.length;
  const sizes = Object.values(collateral).map((value) =>
    typeof value === "string" || value instanceof Uint8Array ? value.length : 0,
  );
  // A character may be three bytes of UTF-8.
  return quote.length + 3 * sizes.reduce((sum, size) => sum + size, 0);
}

/** Whether signatures bind everything that an accepted result of this kind says. */
function mustSayTheSame(kind: string): boolean {
  return !isSignedAgain(kind as MutationKind) && kind !== "field of another";
}

class Judge {
  readonly work: CryptoWork = { signatureChecks: 0, keyImports: 0, hashes: 0, bytes: 0 };
  readonly mostWork: CryptoWork = { signatureChecks: 0, keyImports: 0, hashes: 0, bytes: 0 };
  readonly #crypto: VerificationCrypto;
  readonly #verifier: Verifier;
  readonly #facts = new Map<Base, string>();

  constructor(crypto: VerificationCrypto) {
    this.#crypto = countedCrypto(crypto, this.work);
    this.#verifier = createVerifier({ crypto: this.#crypto, cache: createVerificationCache() });
  }

  /** Verifies, counting; a problem is thrown as text. */
  verify(subject: Subject, collateral: unknown): VerificationResult {
    const { work } = this;
    work.signatureChecks = work.keyImports = work.hashes = work.bytes = 0;
    const terms = { now: subject.now, trustedRoots: [subject.trustedRoot] };
    const result = this.#verifier.verify(subject.quote, collateral as Collateral, terms);
    const problem =
      resultProblem(result, subject.trustedRoot) ?? exceeded(work, workLimit(inputBytes(subject, collateral)));
    if (problem !== undefined) throw problem;
    for (const name of ["signatureChecks", "keyImports", "hashes", "bytes"] as const) {
      this.mostWork[name] = Math.max(this.mostWork[name], work[name]);
    }
    // Whatever was verified can be measured by a policy.
    validate(result, {}, subject.now);
    return result;
  }

  #factsOf(base: Base): string {
    let facts = this.#facts.get(base);
    if (facts === undefined) {
      facts = assertedFacts(this.verify(base.subject, base.subject.collateral));
      this.#facts.set(base, facts);
    }
    return facts;
  }

  /** Does again what the remembering verifier did. */
  repeat(subject: Subject, collateral: unknown, result: VerificationResult): void {
    const terms = { now: subject.now, trustedRoots: [subject.trustedRoot], crypto: this.#crypto };
    const again = verifyQuote(subject.quote, collateral as Collateral, terms);
    const same =
      assertedFacts(again) === assertedFacts(result) && again.reason === result.reason && again.ret === result.ret;
    if (!same) throw `a verifier that remembers says "${result.reason}", one that does not "${again.reason}"`;
  }

  /** Whether the input was accepted. Throws a problem as text; an error of any class is one too. */
  judge(input: FuzzInput, repeat: boolean): boolean {
    if ("call" in input) {
      try {
        input.call.run(input.bytes);
        return true;
      } catch (error) {
        if (error instanceof input.call.error) return false;
        throw error;
      }
    }
    if ("collateral" in input) {
      try {
        return this.verify(input.subject, input.collateral).ret === 0;
      } catch (error) {
        if (error instanceof VerifyError && error.code === "COLLATERAL") return false;
        throw error;
      }
    }
    if ("large" in input) {
      const result = this.verify(input.subject, input.subject.collateral);
      const accepted = result.ret === 0;
      if (accepted !== input.large.accepted) throw `${input.large.name}: ${accepted ? "accepted" : result.reason}`;
      return accepted;
    }
    const { kind, base, subject } = input.mutated;
    const result = this.verify(subject, subject.collateral);
    if (repeat) this.repeat(subject, subject.collateral, result);
    if (result.ret === 0 && mustSayTheSame(kind) && assertedFacts(result) !== this.#factsOf(base)) {
      throw `a change that nobody signed changed what the accepted quote of ${base.subject.name} says`;
    }
    return result.ret === 0;
  }
}

function describe(problem: unknown): string {
  return problem instanceof Error ? `${problem.stack ?? problem}` : String(problem);
}

/** Runs so many inputs and judges each. Ends early when too much is wrong. */
export function fuzz(options: FuzzOptions): FuzzReport {
  const { inputs, seed, first = 0, bases, crypto, clock, onProgress, progressEvery = 10_000 } = options;
  const judge = new Judge(crypto);
  const kinds: Record<string, KindReport> = {};
  const failures: FuzzFailure[] = [];
  let slowest: SlowestInput | undefined;
  let slowestLarge: SlowestInput | undefined;
  let done = 0;
  const started = clock();
  for (; done < inputs && failures.length < MAX_FAILURES; done++) {
    const index = first + done;
    const input = fuzzInput(seed, index, bases);
    kinds[input.kind] ??= { inputs: 0, accepted: 0, refused: 0, milliseconds: 0 };
    const report = kinds[input.kind] as KindReport;
    const before = clock();
    try {
      if (judge.judge(input, index % REPEAT_EVERY === 0)) report.accepted++;
      else report.refused++;
    } catch (problem) {
      failures.push({ index, kind: input.kind, problem: describe(problem) });
    }
    const milliseconds = clock() - before;
    report.inputs++;
    report.milliseconds += milliseconds;
    if (input.kind === "large") {
      if (milliseconds > (slowestLarge?.milliseconds ?? 0)) {
        slowestLarge = { index, kind: "large" in input ? input.large.name : input.kind, milliseconds };
      }
    } else if (milliseconds > (slowest?.milliseconds ?? 0)) {
      slowest = { index, kind: input.kind, milliseconds };
    }
    if ((done + 1) % progressEvery === 0 && onProgress?.(done + 1) === false) {
      done++;
      break;
    }
  }
  return {
    inputs: done,
    seed,
    milliseconds: clock() - started,
    kinds,
    slowest,
    slowestLarge,
    mostWork: judge.mostWork,
    failures,
  };
}
