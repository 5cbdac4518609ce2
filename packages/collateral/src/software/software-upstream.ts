import type { KeyObject } from "node:crypto";
import { PlatformError, type StateDirectory } from "@confcom/quoting";
import {
  type CrlIssuer,
  openProvisioningAuthority,
  outlivesRenewal,
  PCE_ID,
  QE_IDENTITY,
  type RevocationReason,
  type SoftwareProvisioningAuthority,
} from "@confcom/quoting/provisioning";
import type { PpidEncryptionKey } from "@confcom/quoting/software";
import { bytesEqual, fromHex, toHex } from "@confcom/sgx";
import type { PckCertificateAnswer } from "../answer.ts";
import { CollateralError } from "../errors.ts";
import { littleEndian, tcbmOf } from "../hexadecimal.ts";
import type { CollateralRequest, PckCertificateRequest } from "../request.ts";
import type { CollateralUpstream, Fetched, FetchOptions, PckCertificates, PlatformCredential } from "../source.ts";
import { decodePlatformManifest, type PlatformManifest } from "./platform-manifest.ts";
import {
  type CertifiedKey,
  isSameTcb,
  type RegisteredPlatform,
  RegisteredPlatforms,
  serialOf,
} from "./registered-platforms.ts";
import { SOFTWARE_FMSPC, softwareDocument } from "./software-documents.ts";

/** The authority's own directory inside the service's state directory: the one place where its keys are. */
export const SOFTWARE_AUTHORITY_DIRECTORY = "software-authority";
/** The root certificate (PEM), for whoever is to trust it: a copy, written anew when it is not there. */
export const SOFTWARE_ROOT_FILE = "root-ca.pem";
const DEFAULT_MAX_PLATFORMS = 10_000;
const PCE_ID_TEXT = littleEndian(PCE_ID);

export interface SoftwareUpstreamOptions {
  /** {@link SOFTWARE_AUTHORITY_DIRECTORY} of the service's state directory; this is its only user. */
  readonly state: StateDirectory;
  readonly now: () => Date;
  /** Cryptographic randomness: so many bytes. */
  readonly random: (size: number) => Uint8Array;
  /** Platforms that may register. Default: 10,000. */
  readonly maxPlatforms?: number;
  /** Makes the RSA-3072 key for PPIDs; left out, the crypto library does. */
  readonly makePpidKey?: () => Promise<KeyObject>;
}

/** The software platform's provisioning service: an authority, the platforms that registered, and their certificates. */
export interface SoftwareUpstream extends CollateralUpstream {
  readonly kind: "software";
  /** PEM: what verifiers and helpers are told to trust. */
  readonly rootCertificatePem: string;
  /** RSA-3072: PPIDs encrypted to it are a platform's credential. */
  readonly ppidEncryptionKey: PpidEncryptionKey;
  /** How many platforms have registered. */
  readonly platformCount: number;
  /**
   * Whether a certificate on record here has this serial number (lower-case hexadecimal): a platform's, or of the root one
   * of the chain that is served. The Processor CA has issued none.
   */
  hasIssued(serial: string, issuer: CrlIssuer): boolean;
  /**
   * Puts a certificate on its issuer's CRL, under a higher CRL number at once; a cache in front learns of it at its next
   * refresh. `serial`: hexadecimal. Fails with PARAMETER.
   */
  revoke(serial: string, reason?: RevocationReason, issuer?: CrlIssuer): Promise<void>;
}

class Upstream implements SoftwareUpstream {
  readonly kind = "software";
  readonly name: string;
  readonly #authority: SoftwareProvisioningAuthority;
  readonly #platforms: RegisteredPlatforms;
  readonly #now: () => Date;
  /** Registrations happen one after the other: the check for other keys and the record are one step. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SoftwareUpstreamOptions, authority: SoftwareProvisioningAuthority) {
    this.name = `software platform's authority in ${options.state.path}`;
    this.#authority = authority;
    this.#now = options.now;
    this.#platforms = new RegisteredPlatforms(options.state, options.maxPlatforms ?? DEFAULT_MAX_PLATFORMS);
  }

  get rootCertificatePem(): string {
    return this.#authority.rootCertificatePem;
  }

  get ppidEncryptionKey(): PpidEncryptionKey {
    return this.#authority.encryptionKey;
  }

  get platformCount(): number {
    return this.#platforms.count;
  }

  async fetch<R extends CollateralRequest>(request: R, { signal }: FetchOptions): Promise<Fetched<R>> {
    return this.#answering(signal, async () => {
      const answer =
        request.kind === "pck-certificate"
          ? await this.#pckCertificate(request)
          : await softwareDocument(this.#authority, request);
      return { answer } as unknown as Fetched<R>;
    });
  }

  async pckCertificates(
    platform: PlatformCredential,
    pceId: string,
    { signal }: FetchOptions,
  ): Promise<PckCertificates> {
    return this.#answering(signal, async () => {
      if (pceId !== PCE_ID_TEXT) throw new CollateralError("NOT_FOUND", `PCEID ${pceId}: there is ${PCE_ID_TEXT} only`);
      const { keys } =
        "platformManifest" in platform
          ? await this.#register(decodePlatformManifest(platform.platformManifest))
          : await this.#known(platform.encryptedPpid);
      return {
        ca: "platform",
        fmspc: SOFTWARE_FMSPC,
        issuerChain: this.#authority.pckIssuerChain,
        certificates: keys.map((key) => ({ tcbm: tcbmOf(key), certificate: key.certificate })),
      };
    });
  }

  hasIssued(serial: string, issuer: CrlIssuer): boolean {
    if (issuer === "platform") return this.#platforms.hasCertificate(serial);
    return issuer === "root" && serial === serialOf(this.#authority.pckIssuerChain);
  }

  revoke(serial: string, reason?: RevocationReason, issuer?: CrlIssuer): Promise<void> {
    return this.#answering(undefined, () => this.#authority.revoke(serial, reason, issuer));
  }

  async #pckCertificate(request: PckCertificateRequest): Promise<PckCertificateAnswer> {
    const { encryptedPpid, cpuSvn, pceSvn, pceId } = request;
    const unknown = new CollateralError(
      "PLATFORM_UNKNOWN",
      "the software platform's authority knows platforms by their manifest or encrypted PPID, and was given neither",
    );
    if (encryptedPpid === undefined || /^0*$/.test(encryptedPpid) || pceId !== PCE_ID_TEXT) throw unknown;
    const { keys } = await this.#known(encryptedPpid);
    const tcbm = `${cpuSvn}${pceSvn}`.toUpperCase();
    const key = keys.find((candidate) => tcbmOf(candidate) === tcbm);
    if (key === undefined) {
      throw new CollateralError("CERTIFICATES_UNAVAILABLE", `the platform registered no PCK key for its TCB ${tcbm}`);
    }
    const issuerChain = this.#authority.pckIssuerChain;
    const { certificate } = key;
    return { kind: "pck-certificate", certificate, issuerChain, tcbm, fmspc: SOFTWARE_FMSPC, ca: "platform" };
  }

  async #known(encryptedPpid: string): Promise<RegisteredPlatform> {
    if (!/^[0-9A-Fa-f]{768}$/.test(encryptedPpid)) {
      throw new CollateralError("SOURCE_REFUSED", "an encrypted PPID is 768 hexadecimal digits", { status: 400 });
    }
    const ppid = this.#authority.decryptPpid(fromHex(encryptedPpid));
    const platform = this.#platforms.find(ppid);
    if (platform !== undefined) return this.#inTurn(() => this.#certified(platform.ppid, platform.keys, platform));
    throw new CollateralError(
      "PLATFORM_UNKNOWN",
      "the platform has not registered with the software platform's authority: POST /platforms with its manifest",
    );
  }

  #register({ ppid, keys }: PlatformManifest): Promise<RegisteredPlatform> {
    return this.#inTurn(async () => {
      const known = this.#platforms.find(ppid);
      if (known === undefined) return this.#certified(ppid, keys, undefined);
      assertSamePlatform(known, keys);
      const added = keys.filter((key) => !known.keys.some((other) => isSameTcb(key, other)));
      return this.#certified(ppid, [...known.keys, ...added], known);
    });
  }

  /** The platform with a good certificate for each key; stored before anybody gets to see one. */
  async #certified(
    ppid: Uint8Array,
    keys: readonly (CertifiedKey | PlatformManifest["keys"][number])[],
    known: RegisteredPlatform | undefined,
  ): Promise<RegisteredPlatform> {
    let changed = known === undefined || keys.length !== known.keys.length;
    const certified: CertifiedKey[] = [];
    for (const key of keys) {
      if ("certificate" in key && outlivesRenewal(key.certificate, this.#now())) {
        certified.push(key);
        continue;
      }
      const certificate = await this.#authority.issuePckCertificate({ ...key, ppid, pceId: PCE_ID });
      certified.push({ ...key, certificate });
      changed = true;
    }
    const platform = { ppid, keys: certified };
    if (changed) this.#platforms.store(platform, known !== undefined);
    return platform;
  }

  async #answering<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    if (signal?.aborted === true) throw new CollateralError("SOURCE_TIMEOUT", `${this.name}: no time left to answer`);
    try {
      return await work();
    } catch (error) {
      throw error instanceof PlatformError ? asCollateralError(error, this.name) : error;
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

/**
 * A platform that is known comes with keys that are known: each TCB has the key it had, and at least one key stands in
 * both. Else anybody could add a key of his own, for a TCB not seen yet, to another's PPID.
 */
function assertSamePlatform(known: RegisteredPlatform, keys: PlatformManifest["keys"]): void {
  let inBoth = 0;
  for (const key of keys) {
    const other = known.keys.find((candidate) => isSameTcb(candidate, key));
    if (other === undefined) continue;
    if (!bytesEqual(other.pckPublicKey, key.pckPublicKey)) throw conflict(known, `another PCK key at ${tcbmOf(key)}`);
    inBoth++;
  }
  if (inBoth === 0) throw conflict(known, "none of the TCBs now sent: the keys cannot be compared");
}

function conflict({ ppid }: RegisteredPlatform, why: string): CollateralError {
  const message = `the platform with PPID ${toHex(ppid)} is registered with ${why}`;
  return new CollateralError("PLATFORM_CONFLICT", message, { status: 400 });
}

function asCollateralError(error: PlatformError, source: string): CollateralError {
  const message = `${source}: ${error.message}`;
  if (error.code === "OPTION_INVALID") return new CollateralError("PARAMETER", error.message, { cause: error, source });
  if (error.code.startsWith("ISSUER_")) {
    return new CollateralError("SOURCE_REFUSED", message, { cause: error, source, status: 400 });
  }
  // State that cannot be read or written, which may heal.
  return new CollateralError("SOURCE_UNREACHABLE", message, { cause: error, source });
}

/**
 * Opens the software platform's provisioning service on its directory, making authority and keys at the first start.
 * Fails with PlatformError STATE_* when the directory cannot be used or its keys are damaged; nothing is overwritten.
 */
export async function openSoftwareUpstream(options: SoftwareUpstreamOptions): Promise<SoftwareUpstream> {
  const { state, now, random, makePpidKey } = options;
  state.removeLeftovers(now());
  const authority = await openProvisioningAuthority({
    state,
    now,
    random,
    qe: QE_IDENTITY,
    binding: { serves: "platforms" },
    ...(makePpidKey === undefined ? {} : { makePpidKey }),
  });
  const root = new TextEncoder().encode(authority.rootCertificatePem);
  const written = state.read(SOFTWARE_ROOT_FILE);
  if (written === undefined || !bytesEqual(written, root)) state.replace(SOFTWARE_ROOT_FILE, root);
  return new Upstream(options, authority);
}
