import { X509Certificate } from "node:crypto";
import { PlatformError, type QuotingErrorCode, type StateDirectory, type StateWarning } from "@confcom/quoting";
import { AUTHORITY_FILE, outlivesRenewal } from "@confcom/quoting/provisioning";
import type { PckChain, PckRequest, PlatformRegistrant, ProvisioningAuthority } from "@confcom/quoting/software";
import { bytesEqual, type Collateral } from "@confcom/sgx";
import { trustedRootFromCertificate } from "@confcom/verify";
import { checkDocument, type PckChainFacts } from "@confcom/verify/documents";
import { nodeCrypto } from "@confcom/verify/node";
import type { PckCertificateAnswer } from "../../answer.ts";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError, type CollateralErrorCode, messageOf } from "../../errors.ts";
import { littleEndian, upperHex } from "../../hexadecimal.ts";
import type { CollateralSource } from "../../source.ts";
import { Attempts, type AttemptsStatus } from "./attempts.ts";
import { nobodysKey } from "./nobodys-key.ts";
import {
  issuedFor,
  type ProvisioningRecord,
  readProvisioningRecord,
  type StoredChain,
  writeProvisioningRecord,
} from "./provisioning-record.ts";
import { type RegistrationDesk, registerPlatform } from "./registration.ts";
import { serviceCollateral } from "./service-collateral.ts";

/** For everything that one question takes, registration included: below the time an AESM caller waits. */
const DEADLINE_MS = 10_000;

export interface RemoteAuthorityOptions {
  /** The platform's own state directory: chains are kept there, so that a restart needs no service. */
  readonly state: StateDirectory;
  /** Reads the service at `desk.baseUrl`. */
  readonly source: CollateralSource;
  readonly desk: RegistrationDesk;
  /** PEM: the root that chains must end in. Nothing else is trusted, whatever the service answers. */
  readonly rootCertificatePem: string;
  /** PEM: kept with the record, for commands that ask the service later. */
  readonly tlsCa?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn?: StateWarning;
}

/** The provisioning authority of a platform that registers with a PCCS-compatible service. */
export interface RemoteProvisioningAuthority extends ProvisioningAuthority {
  readonly remote: true;
  /** "PCCS at URL". */
  readonly name: string;
  readonly status: AttemptsStatus;
}

class Authority implements RemoteProvisioningAuthority {
  readonly remote = true;
  readonly rootCertificatePem: string;
  readonly encryptionKey = nobodysKey();
  readonly #options: RemoteAuthorityOptions;
  readonly #trustedRoots: readonly Uint8Array[];
  readonly #attempts: Attempts;
  #record: ProvisioningRecord;
  /** One question to the service at a time. */
  #asking: { readonly what: string; readonly answer: Promise<PckCertificateAnswer> } | undefined;

  constructor(options: RemoteAuthorityOptions, record: ProvisioningRecord) {
    this.#options = options;
    this.#record = record;
    this.rootCertificatePem = options.rootCertificatePem;
    this.#trustedRoots = [trustedRootFromCertificate(options.rootCertificatePem)];
    this.#attempts = new Attempts(options.random);
  }

  get name(): string {
    return this.#options.desk.name;
  }

  get status(): AttemptsStatus {
    return this.#attempts.status;
  }

  /**
   * The chain for this platform, TCB and key: the stored one while it is good and need not be renewed, else what the
   * service answers, after registering there if it does not know the platform. A stored chain that is due for renewal
   * serves until its end while the service is away. Fails with ISSUER_UNREACHABLE, ISSUER_UNREGISTERED,
   * ISSUER_NO_CERTIFICATE, ISSUER_REFUSED and ISSUER_INVALID, the cause inside.
   */
  async pckChain(request: PckRequest): Promise<PckChain> {
    const what = issuedFor(request);
    const stored = this.#stored(what, request);
    if (stored !== undefined && outlivesRenewal(stored.certificate, this.#now())) return stored.chain;
    try {
      return this.#chainOf(await this.#asked(what, request), request);
    } catch (error) {
      if (stored === undefined) throw error;
      const message = messageOf(error);
      this.#options.warn?.(`the PCK certificate is due for renewal, and goes on in use: ${message}`);
      return stored.chain;
    }
  }

  /** What a verifier needs, from the service; as it came, for the verifier checks it. Fails with CollateralError. */
  collateral(ca: "platform" | "processor" = "platform"): Promise<Collateral> {
    return this.#withDeadline((signal) => serviceCollateral(this.#options.source, ca, signal));
  }

  #now(): Date {
    return new Date(this.#options.clock.now());
  }

  #stored(what: string, request: PckRequest): { readonly chain: PckChain; readonly certificate: string } | undefined {
    const found = this.#record.chains.find((chain) => chain.issuedFor === what);
    if (found === undefined) return undefined;
    try {
      return { chain: this.#chainOf(found, request), certificate: found.certificate };
    } catch {
      // Expired, or taken under a root that is no longer the trusted one: asked for again.
      return undefined;
    }
  }

  #asked(what: string, request: PckRequest): Promise<PckCertificateAnswer> {
    if (this.#asking?.what === what) return this.#asking.answer;
    const now = this.#options.clock.now();
    const failure = this.#attempts.failureNow(now);
    if (failure !== undefined) return Promise.reject(failure);
    const before = this.#asking?.answer.catch(() => {}) ?? Promise.resolve();
    const answer = before.then(() => this.#ask(what, request));
    const asking = { what, answer };
    this.#asking = asking;
    const done = () => {
      if (this.#asking === asking) this.#asking = undefined;
    };
    answer.then(done, done);
    return answer;
  }

  async #ask(what: string, request: PckRequest): Promise<PckCertificateAnswer> {
    const { clock } = this.#options;
    try {
      const answer = await this.#withDeadline((signal) => this.#certificate(request, signal));
      this.#chainOf(answer, request);
      this.#keep({ issuedFor: what, certificate: answer.certificate, issuerChain: answer.issuerChain });
      this.#attempts.succeeded(clock.now());
      return answer;
    } catch (error) {
      const failure = asPlatformError(error);
      const retryAfterMs = error instanceof CollateralError ? error.retryAfterMs : undefined;
      this.#attempts.failed(failure, clock.now(), retryAfterMs);
      throw failure;
    }
  }

  /** Asks first: most starts are of platforms that the service knows. */
  async #certificate(request: PckRequest, signal: AbortSignal): Promise<PckCertificateAnswer> {
    const registrant = request.registrant?.();
    if (registrant === undefined) {
      throw new PlatformError("ISSUER_REFUSED", "a service certifies platforms that register, and this one cannot");
    }
    try {
      const answer = await this.#fetch(request, registrant, signal);
      // Known by its QE_ID, but with a certificate of other keys or of an authority that is gone: registered anew.
      this.#chainOf(answer, request);
      return answer;
    } catch (error) {
      if (!registeringMayHelp(error)) throw error;
      await registerPlatform(this.#options.desk, request, registrant, signal);
      return this.#fetch(request, registrant, signal);
    }
  }

  async #fetch(
    { cpuSvn, pceSvn, pceId }: PckRequest,
    { qeId }: PlatformRegistrant,
    signal: AbortSignal,
  ): Promise<PckCertificateAnswer> {
    const { answer } = await this.#options.source.fetch(
      {
        kind: "pck-certificate",
        qeId: upperHex(qeId),
        cpuSvn: upperHex(cpuSvn),
        pceSvn: littleEndian(pceSvn),
        pceId: littleEndian(pceId),
      },
      { signal },
    );
    return answer;
  }

  /** Checks a chain under the trusted root, and that it is for this platform and key at a TCB it can certify at. */
  #chainOf(served: Pick<StoredChain, "certificate" | "issuerChain">, request: PckRequest): PckChain {
    const { certificate, issuerChain } = served;
    const refuse = (why: string, cause?: unknown) =>
      new PlatformError("ISSUER_INVALID", `${this.name} answered a PCK certificate ${why}`, { cause });
    let facts: PckChainFacts;
    try {
      const terms = { trustedRoots: this.#trustedRoots, now: this.#now(), crypto: nodeCrypto };
      facts = checkDocument({ kind: "pck-chain", certificate, issuerChain }, terms);
    } catch (cause) {
      const why = messageOf(cause);
      throw refuse(`that does not stand under the trusted root: ${why}`, cause);
    }
    if (!bytesEqual(facts.ppid, request.ppid)) throw refuse("of another platform");
    const { cpuSvn, pceSvn } = facts.tcb;
    const key = request.registrant?.().keys.find((each) => each.pceSvn === pceSvn && bytesEqual(each.cpuSvn, cpuSvn));
    if (key === undefined) throw refuse("for a TCB that the platform cannot certify at");
    const { x, y } = new X509Certificate(certificate).publicKey.export({ format: "jwk" });
    const certified = Buffer.concat([Buffer.from(x ?? "", "base64url"), Buffer.from(y ?? "", "base64url")]);
    if (!bytesEqual(certified, key.pckPublicKey)) throw refuse("for another key than the platform's at its TCB");
    return { chainPem: certificate + issuerChain, cpuSvn, pceSvn };
  }

  #keep(chain: StoredChain): void {
    const others = this.#record.chains.filter((each) => each.issuedFor !== chain.issuedFor);
    this.#record = { ...this.#record, chains: [...others, chain] };
    writeProvisioningRecord(this.#options.state, this.#record);
  }

  async #withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, desk } = this.#options;
    const controller = new AbortController();
    const timer = clock.setTimeout(() => {
      const message = `${desk.name} did not answer within ${DEADLINE_MS / 1000} s`;
      controller.abort(new CollateralError("SOURCE_TIMEOUT", message, { source: desk.name }));
    }, DEADLINE_MS);
    try {
      return await work(controller.signal);
    } finally {
      clock.clearTimeout(timer);
    }
  }
}

function registeringMayHelp(error: unknown): boolean {
  if (error instanceof PlatformError) return error.code === "ISSUER_INVALID";
  if (!(error instanceof CollateralError)) return false;
  const unknown: readonly CollateralErrorCode[] = ["PLATFORM_UNKNOWN", "NOT_FOUND", "CERTIFICATES_UNAVAILABLE"];
  return unknown.includes(error.code) || (error.code === "SOURCE_REFUSED" && error.status === 400);
}

const MEANINGS: Readonly<Partial<Record<CollateralErrorCode, QuotingErrorCode>>> = {
  SOURCE_UNREACHABLE: "ISSUER_UNREACHABLE",
  SOURCE_TIMEOUT: "ISSUER_UNREACHABLE",
  SOURCE_UNTRUSTED: "ISSUER_UNREACHABLE",
  SOURCE_BUSY: "ISSUER_UNREACHABLE",
  SOURCE_SUSPENDED: "ISSUER_UNREACHABLE",
  DEADLINE: "ISSUER_UNREACHABLE",
  PLATFORM_UNKNOWN: "ISSUER_UNREGISTERED",
  NOT_FOUND: "ISSUER_UNREGISTERED",
  CERTIFICATES_UNAVAILABLE: "ISSUER_NO_CERTIFICATE",
  SOURCE_ANSWER: "ISSUER_INVALID",
};

function asPlatformError(error: unknown): PlatformError {
  if (error instanceof PlatformError) return error;
  if (!(error instanceof CollateralError)) {
    const why = messageOf(error);
    return new PlatformError("ISSUER_INVALID", why, { cause: error });
  }
  return new PlatformError(MEANINGS[error.code] ?? "ISSUER_REFUSED", error.message, { cause: error });
}

/**
 * Opens the authority of a platform that a service certifies. Nothing is asked yet. The state directory remembers the
 * service; a change of the root, or from the platform's own authority to this one, is told through `warn`. Fails with
 * VerifyError when the root is no certificate, and with STATE_* codes.
 */
export function openRemoteAuthority(options: RemoteAuthorityOptions): RemoteProvisioningAuthority {
  const { state, desk, rootCertificatePem, tlsCa, warn = () => {} } = options;
  trustedRootFromCertificate(rootCertificatePem);
  const known = readProvisioningRecord(state);
  const same = known?.root === rootCertificatePem;
  const record: ProvisioningRecord = {
    url: desk.baseUrl,
    root: rootCertificatePem,
    tlsCa,
    inUse: true,
    chains: same ? known.chains : [],
  };
  const root = fingerprint(rootCertificatePem);
  if (known?.inUse === true && !same) {
    warn(`the trusted root changed, from ${fingerprint(known.root)}: quotes now chain to ${root}`);
  } else if (known?.inUse !== true && state.read(AUTHORITY_FILE) !== undefined) {
    warn(
      `the platform had a provisioning authority of its own and is certified by ${desk.name} from now on: the attestation key stays, quotes chain to the root ${root}, and verifiers must trust that`,
    );
  }
  const unchanged = same && known.inUse && known.url === record.url && known.tlsCa === tlsCa;
  if (!unchanged) writeProvisioningRecord(state, record);
  return new Authority(options, record);
}

/** "SHA-256 AB:CD:..." of a certificate, as people compare it. */
export function fingerprint(pem: string): string {
  return `SHA-256 ${new X509Certificate(pem).fingerprint256}`;
}
