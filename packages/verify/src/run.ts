import { Quote3, type Quote3ErrorCode, type Quote3ErrorName, quote3ErrorName } from "@confcom/sgx";
import type { VerificationResult, VerificationStep } from "./result.ts";
import { explainStatus, isExpiration, type QvlStatus, Rejection, statusToQuote3, statusToResult } from "./status.ts";
import { printable } from "./words.ts";

type Findings = Pick<
  VerificationResult,
  "collateralIssued" | "quote" | "pck" | "rootKey" | "platform" | "tcbLevel" | "supplemental"
>;

/** Ends a verification with a quote3_error_t that is not the status's own. */
export class Ended extends Error {
  readonly status: QvlStatus;
  readonly ret: Quote3ErrorCode;

  constructor(status: QvlStatus, ret: Quote3ErrorCode, detail: string) {
    super(detail);
    this.name = "Ended";
    this.status = status;
    this.ret = ret;
  }
}

/** Words for a person, or how to make them: most verifications are never read. */
export type Words = string | (() => string);

/** A class, because an object written out with a getter has a layout of its own, every time anew. */
class NotedStep implements VerificationStep {
  readonly name: string;
  readonly status: QvlStatus;
  readonly outcome: VerificationStep["outcome"];
  readonly #words: Words;

  constructor(name: string, status: QvlStatus, outcome: VerificationStep["outcome"], words: Words) {
    this.name = name;
    this.status = status;
    this.outcome = outcome;
    this.#words = words;
  }

  get found(): string {
    return printable(typeof this.#words === "string" ? this.#words : this.#words());
  }

  toJSON(): VerificationStep {
    const { name, status, outcome, found } = this;
    return { name, status, outcome, found };
  }
}

/** What one verification has found so far. */
export class Run {
  /** True until the dates of all collateral are known to be good. */
  collateralExpired = true;
  advisories: readonly string[] = [];
  readonly warnings: string[] = [];
  readonly #steps: VerificationStep[] = [];
  #findings: Findings = {};
  #step = "parameters";

  /** Names what is looked at from here on. */
  enter(step: string): void {
    this.#step = step;
  }

  passed(found: Words): void {
    this.noted(this.#step, "STATUS_OK", found);
  }

  /** Something that does not end the verification but marks its result. */
  noted(name: string, status: QvlStatus, found: Words): void {
    this.#steps.push(new NotedStep(name, status, status === "STATUS_OK" ? "passed" : "noted", found));
  }

  add(findings: Findings): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  /** Takes an expiry as a mark on the result; everything else ends the verification. */
  expiredOrThrow(error: unknown): void {
    if (!(error instanceof Rejection) || !isExpiration(error.status)) throw error;
    this.collateralExpired = true;
    this.noted(this.#step, error.status, error.message);
  }

  #result(ret: Quote3ErrorCode, status: QvlStatus, reason: string): VerificationResult {
    const { tcbLevel, supplemental, ...always } = this.#findings;
    const verified = ret === Quote3.SUCCESS && tcbLevel !== undefined && supplemental !== undefined;
    return {
      ret,
      retName: quote3ErrorName(ret) as Quote3ErrorName,
      result: verified ? statusToResult(status) : "UNSPECIFIED",
      status,
      reason: printable(reason),
      collateralExpired: this.collateralExpired,
      advisories: verified ? this.advisories : [],
      ...always,
      ...(verified ? { tcbLevel, supplemental } : {}),
      steps: this.#steps,
      warnings: this.warnings.map(printable),
    };
  }

  /** The result of a verification that came to a verdict. */
  verdict(status: QvlStatus): VerificationResult {
    const outcome = status === "STATUS_OK" ? "passed" : "noted";
    this.#steps.push(new NotedStep("verdict", status, outcome, explainStatus(status)));
    return this.#result(Quote3.SUCCESS, status, explainStatus(status));
  }

  /** The result of a verification that was ended by a step, or the error itself if it is none of a step's. */
  failure(error: unknown): VerificationResult {
    if (!(error instanceof Ended || error instanceof Rejection)) throw error;
    const { status, message } = error;
    this.#steps.push(new NotedStep(this.#step, status, "failed", message));
    return this.#result(error instanceof Ended ? error.ret : statusToQuote3(status), status, message);
  }
}
