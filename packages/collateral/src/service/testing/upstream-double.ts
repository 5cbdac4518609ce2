import type { AnswerTo, CollateralAnswer } from "../../answer.ts";
import { CollateralError } from "../../errors.ts";
import { type CollateralRequest, requestKey } from "../../request.ts";
import type { CollateralUpstream, Fetched, FetchOptions, PckCertificates, PlatformCredential } from "../../source.ts";
import type { CollateralChecks } from "../checks.ts";

export const DAY = 24 * 3_600_000;
export const DOUBLE_FMSPC = "00A067110000";

/** What a document of the double says of itself, in place of a signature. */
interface Claims {
  readonly issued: number;
  readonly nextUpdate: number;
  readonly genuine: boolean;
}

/** An upstream whose answers say when they were issued and whether they are genuine; it counts calls and can be told to fail. */
export class UpstreamDouble implements CollateralUpstream {
  readonly kind = "pcs";
  readonly name = "double";
  /** Request keys, or `pckcerts/CREDENTIAL`, in the order of the calls. */
  readonly calls: string[] = [];
  atOnce = 0;
  mostAtOnce = 0;
  now: () => number;
  lifeMs = 30 * DAY;
  genuine = true;
  /** What every call fails with, or the named ones. */
  failure: CollateralError | undefined;
  readonly failures = new Map<string, CollateralError>();
  /** Every call waits for it. */
  gate: Promise<void> | undefined;
  certificates: PckCertificates["certificates"] = [
    { tcbm: `${"05".repeat(16)}0D00`, certificate: "certificate 5" },
    { tcbm: `${"02".repeat(16)}0D00`, certificate: "certificate 2" },
  ];

  constructor(now: () => number) {
    this.now = now;
  }

  async fetch<R extends CollateralRequest>(request: R, { signal }: FetchOptions): Promise<Fetched<R>> {
    await this.#call(requestKey(request), signal);
    const claims: Claims = { issued: this.now(), nextUpdate: this.now() + this.lifeMs, genuine: this.genuine };
    const text = JSON.stringify(claims);
    const crl = new TextEncoder().encode(text);
    const answers: Readonly<Record<string, CollateralAnswer>> = {
      "pck-crl": { kind: "pck-crl", crl, issuerChain: "chain" },
      "root-ca-crl": { kind: "root-ca-crl", crl },
      crl: { kind: "crl", crl },
      "tcb-info": { kind: "tcb-info", body: text, issuerChain: "chain" },
      identity: { kind: "identity", body: text, issuerChain: "chain" },
    };
    return { answer: answers[request.kind] as AnswerTo<R> };
  }

  async pckCertificates(
    platform: PlatformCredential,
    _pceId: string,
    { signal }: FetchOptions,
  ): Promise<PckCertificates> {
    const credential = "encryptedPpid" in platform ? platform.encryptedPpid.slice(0, 16) : platform.platformManifest;
    await this.#call(`pckcerts/${credential}`, signal);
    return { ca: "platform", fmspc: DOUBLE_FMSPC, issuerChain: "pck chain", certificates: this.certificates };
  }

  callsOf(prefix: string): number {
    return this.calls.filter((call) => call.startsWith(prefix)).length;
  }

  async #call(key: string, signal: AbortSignal): Promise<void> {
    this.calls.push(key);
    this.atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.atOnce);
    try {
      await (this.gate === undefined ? undefined : Promise.race([this.gate, abort(signal)]));
      const failure = this.failures.get(key) ?? this.failure;
      if (failure !== undefined) throw failure;
    } finally {
      this.atOnce -= 1;
    }
  }
}

function abort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new CollateralError("SOURCE_TIMEOUT", "aborted")), { once: true });
  });
}

/** Checks that believe the double's documents what they say; a certificate fits where its TCB is not above the raw one. */
export const DOUBLE_CHECKS: CollateralChecks = {
  answer: (_request, answer) => {
    const text = "body" in answer ? answer.body : "crl" in answer ? new TextDecoder().decode(answer.crl) : "";
    const { issued, nextUpdate, genuine } = JSON.parse(text) as Claims;
    if (!genuine) throw new CollateralError("ANSWER_UNTRUSTED", "the signature is wrong");
    return { issued, nextUpdate };
  },
  pckCertificates: ({ certificates }) => {
    if (certificates.some(({ certificate }) => certificate?.startsWith("forged") === true)) {
      throw new CollateralError("ANSWER_UNTRUSTED", "a certificate is not signed by its issuer");
    }
  },
  // "certificate 5 until 1700000000000"
  certificateEnd: ({ certificate }) => Number(/ until (\d+)$/.exec(certificate)?.[1] ?? Number.POSITIVE_INFINITY),
  select: (certificates, _tcbInfo, { cpuSvn }) =>
    [...certificates]
      .sort((a, b) => b.tcbm.localeCompare(a.tcbm))
      .find(({ tcbm }) => tcbm.slice(0, 32) <= cpuSvn.toUpperCase()),
};
