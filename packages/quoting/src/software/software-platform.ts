import type { GetQuoteResult, InitQuoteResult, MaybePromise, QuotingPlatform } from "@confcom/aesm";
import { type AttestationKeyId, bytesEqual } from "@confcom/sgx";
import { PlatformError } from "../errors.ts";
import type { StateDirectory, StateWarning } from "../state/index.ts";
import type { CpuSvnName } from "./cpu/cpu-svn.ts";
import type { ReportSecrets } from "./cpu/fuses.ts";
import {
  type CpuProfile,
  decodeFuses,
  FUSES_FILE,
  type Fuses,
  fusesCommitment,
  openFuses,
  type RandomBytes,
} from "./cpu/fuses.ts";
import { cpuKeyId, SoftwareCpu } from "./cpu/software-cpu.ts";
import { KeyLifecycle } from "./key-lifecycle.ts";
import type { CpuBinding, ProvisioningAuthority } from "./provisioning-authority.ts";
import { QE_IDENTITY } from "./qe/qe-identity.ts";
import type { PlatformSnapshot } from "./snapshot.ts";
import { createSnapshotPlatform, type SnapshotPlatform } from "./snapshot-platform.ts";

export interface SoftwarePlatformOptions {
  readonly state: StateDirectory;
  /** Fixed when the state directory is made; left out, whatever it has, and `sdk-simulation` for a new one. */
  readonly profile?: CpuProfile;
  /** The platform's own CPUSVN; `default` when left out. */
  readonly cpuSvn?: CpuSvnName;
  readonly now: () => Date;
  readonly random: RandomBytes;
  /** Gets sentences for the operator: what was found damaged, tightened, made again. */
  readonly warn?: StateWarning;
  /** Who issues certificates; left out, the state directory's own provisioning authority. */
  readonly openAuthority?: (binding: CpuBinding) => Promise<ProvisioningAuthority>;
}

/** Called with each new snapshot; what it returns is awaited before the init_quote that made the snapshot is answered. */
export type SnapshotListener = (snapshot: PlatformSnapshot) => MaybePromise<void>;

/** The software platform as its one writer of state sees it. Other threads answer from its snapshots. */
export interface SoftwarePlatform extends QuotingPlatform {
  readonly profile: CpuProfile;
  readonly cpuSvn: CpuSvnName;
  /** Its collateral and root certificate. */
  readonly authority: ProvisioningAuthority;
  /** What makes reports on this CPU: public constants in the `sdk-simulation` profile, secret in `private`. */
  readonly reportSecrets: ReportSecrets;
  snapshot(): PlatformSnapshot;
  /** Returns what ends the subscription. */
  onSnapshot(listener: SnapshotListener): () => void;
  /**
   * Reads the state again, and goes over to another CPUSVN when one is given. A key in use stays the key unless the TCB
   * moved. Rejects, and everything stays as it was, when the state cannot be used.
   */
  reload(changes?: { readonly cpuSvn?: CpuSvnName }): Promise<void>;
}

/** One state of the platform: everything that a reload replaces together. */
interface Running {
  readonly cpu: SoftwareCpu;
  readonly authority: ProvisioningAuthority;
  readonly lifecycle: KeyLifecycle;
}

class Platform implements SoftwarePlatform {
  readonly name = "software";
  readonly #options: SoftwarePlatformOptions;
  readonly #fuses: Fuses;
  readonly #answers: SnapshotPlatform;
  readonly #listeners = new Set<SnapshotListener>();
  #running: Running;
  #snapshot: PlatformSnapshot;
  /** Key making and reloading happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();
  #making: Promise<void> | undefined;

  constructor(options: SoftwarePlatformOptions, fuses: Fuses, running: Running, snapshot: PlatformSnapshot) {
    this.#options = options;
    this.#fuses = fuses;
    this.#running = running;
    this.#snapshot = snapshot;
    this.#answers = createSnapshotPlatform(snapshot, { requestInit: () => this.#makeKey() });
  }

  get profile(): CpuProfile {
    return this.#fuses.profile;
  }

  get cpuSvn(): CpuSvnName {
    return this.#running.cpu.svnName;
  }

  get authority(): ProvisioningAuthority {
    return this.#running.authority;
  }

  get reportSecrets(): ReportSecrets {
    return { reportBaseKey: this.#fuses.reportBaseKey, ownerEpoch: this.#fuses.ownerEpoch };
  }

  snapshot(): PlatformSnapshot {
    return this.#snapshot;
  }

  onSnapshot(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  supportedKeyIds(): readonly AttestationKeyId[] {
    return this.#answers.supportedKeyIds();
  }

  pubKeyIdSize(keyId: AttestationKeyId): number {
    return this.#answers.pubKeyIdSize(keyId);
  }

  initQuote(keyId: AttestationKeyId): MaybePromise<InitQuoteResult> {
    return this.#answers.initQuote(keyId);
  }

  quoteSize(keyId: AttestationKeyId): MaybePromise<number> {
    return this.#answers.quoteSize(keyId);
  }

  getQuote(keyId: AttestationKeyId, report: Uint8Array, qeReportInfo?: Uint8Array): MaybePromise<GetQuoteResult> {
    return this.#answers.getQuote(keyId, report, qeReportInfo);
  }

  reload(changes: { readonly cpuSvn?: CpuSvnName } = {}): Promise<void> {
    return this.#inTurn(async () => {
      this.#assertSameFuses();
      const cpuSvn = changes.cpuSvn ?? this.cpuSvn;
      const root = this.authority.rootCertificatePem;
      const running = await start(this.#options, this.#fuses, cpuSvn, this.#snapshot.cpu.keyId, root);
      const sameTcb = running.cpu.svnName === this.cpuSvn;
      // With a key in use a missing blob is made again, so that the next start finds it.
      const keep = sameTcb && this.#snapshot.key !== undefined;
      const key = keep ? await running.lifecycle.loadOrMake() : await loadIfCertified(running, this.#options.warn);
      assertKeyCanBeMade(this.#options.state, key);
      const next = snapshotWith(this.#snapshot.generation + 1, running.cpu, key);
      if (
        keep &&
        !bytesEqual(next.key?.pubKeyId ?? new Uint8Array(), this.#snapshot.key?.pubKeyId ?? new Uint8Array())
      ) {
        throw new PlatformError(
          "STATE_REPLACED",
          "the state directory holds another attestation key than the one in use",
        );
      }
      this.#running = running;
      if (!isSameSnapshot(next, this.#snapshot)) await this.#publish(next);
    });
  }

  /** Waits for what is under way; a reply that was promised is still given. */
  async close(): Promise<void> {
    await this.#turn;
    this.#listeners.clear();
  }

  /** The one place keys are made: callers that come meanwhile wait for the same key. */
  #makeKey(): Promise<void> {
    this.#making ??= this.#inTurn(async () => {
      if (this.#snapshot.key !== undefined) return;
      const key = await this.#running.lifecycle.loadOrMake();
      await this.#publish(snapshotWith(this.#snapshot.generation + 1, this.#running.cpu, key));
    }).finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** This thread's own answers come last: nobody learns of a key before every thread can quote with it. */
  async #publish(next: PlatformSnapshot): Promise<void> {
    this.#snapshot = next;
    await Promise.all([...this.#listeners].map((listener) => listener(next)));
    this.#answers.update(next);
  }

  #assertSameFuses(): void {
    const bytes = this.#options.state.read(FUSES_FILE);
    const path = this.#options.state.path;
    if (bytes === undefined) throw new PlatformError("STATE_REPLACED", `${FUSES_FILE} is gone from ${path}`);
    const fuses = decodeFuses(bytes);
    if (fusesCommitment(fuses) !== fusesCommitment(this.#fuses)) {
      throw new PlatformError("STATE_REPLACED", `${FUSES_FILE} in ${path} is not the one this process started with`);
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

async function openOwnAuthority(options: SoftwarePlatformOptions, binding: CpuBinding): Promise<ProvisioningAuthority> {
  const { openProvisioningAuthority } = await import("./provisioning/index.ts");
  return openProvisioningAuthority({
    state: options.state,
    now: options.now,
    random: options.random,
    qe: QE_IDENTITY,
    binding,
  });
}

async function start(
  options: SoftwarePlatformOptions,
  fuses: Fuses,
  cpuSvn: CpuSvnName,
  keyId: Uint8Array,
  root?: string,
): Promise<Running> {
  const cpu = new SoftwareCpu(fuses, cpuSvn, keyId);
  const binding = { fuses: fusesCommitment(fuses), ...(root === undefined ? {} : { root }) };
  const authority = await (options.openAuthority?.(binding) ?? openOwnAuthority(options, binding));
  const { state, now, random } = options;
  return {
    cpu,
    authority,
    lifecycle: new KeyLifecycle({ state, cpu, authority, now, random, warn: options.warn ?? (() => {}) }),
  };
}

/** The stored key; none while a remote authority does not certify it, which init_quote then asks for again. */
async function loadIfCertified({ authority, lifecycle }: Running, warn: StateWarning = () => {}) {
  try {
    return await lifecycle.load();
  } catch (error) {
    if (authority.remote !== true || !(error instanceof PlatformError && error.code.startsWith("ISSUER_"))) throw error;
    warn(`the stored attestation key has no certificate for now: ${error.message}`);
    return undefined;
  }
}

/** A key must be stored before it is announced: where that cannot be done, starting would be a promise nobody keeps. */
function assertKeyCanBeMade(state: StateDirectory, key: PlatformSnapshot["key"]): void {
  if (key === undefined) state.assertWritable();
}

function snapshotWith(generation: number, cpu: SoftwareCpu, key: PlatformSnapshot["key"]): PlatformSnapshot {
  const { secrets, cpuSvn, keyId } = cpu.reporting;
  const { reportBaseKey, ownerEpoch } = secrets;
  // Only what reports need: the other fuses stay with the writer.
  const reporting = { secrets: { reportBaseKey, ownerEpoch }, cpuSvn, keyId };
  return { generation, cpu: reporting, ...(key === undefined ? {} : { key }) };
}

function isSameSnapshot(a: PlatformSnapshot, b: PlatformSnapshot): boolean {
  if (!bytesEqual(a.cpu.cpuSvn, b.cpu.cpuSvn)) return false;
  if (a.key === undefined || b.key === undefined) return a.key === b.key;
  return bytesEqual(a.key.pubKeyId, b.key.pubKeyId) && bytesEqual(a.key.template, b.key.template);
}

/**
 * Opens the software platform of a state directory, making fuses and provisioning authority at the first start. The
 * attestation key of an earlier run is ready at once; a new one is made at the first initQuote.
 *
 * Fails with PROFILE_FIXED when the directory was made with another profile, STATE_DAMAGED when fuses, CA keys or
 * revocation state are damaged, lost or another directory's (nothing is overwritten), and STATE_* when the directory
 * cannot be used.
 */
export async function openSoftwarePlatform(options: SoftwarePlatformOptions): Promise<SoftwarePlatform> {
  options.state.removeLeftovers(options.now());
  const fuses = openFuses(options.state, options.profile, options.random);
  const keyId = cpuKeyId(fuses.profile, fuses, options.random);
  const running = await start(options, fuses, options.cpuSvn ?? "default", keyId);
  const key = await loadIfCertified(running, options.warn);
  assertKeyCanBeMade(options.state, key);
  return new Platform(options, fuses, running, snapshotWith(0, running.cpu, key));
}
