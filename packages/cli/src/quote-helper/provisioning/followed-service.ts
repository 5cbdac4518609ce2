import type {
  awaitedAuthority,
  openProvisioningService,
  provisioningServiceUrl,
  RemoteProvisioningAuthority,
  readProvisioningRecord,
} from "@confcom/collateral/software";
import type { StateDirectory, StateWarning } from "@confcom/quoting";
import type { ProvisioningAuthority } from "@confcom/quoting/software";
import type { SYSTEM_CLOCK } from "../../system-clock.ts";
import type { PccsAccess, PccsTrust } from "./pccs-settings.ts";

export interface FollowedServiceOptions {
  readonly state: StateDirectory;
  readonly access: PccsAccess;
  readonly warn: StateWarning;
  readonly clock: typeof SYSTEM_CLOCK;
  readonly random: () => number;
  /** The collateral package's half, which only a helper with a service loads. */
  readonly software: {
    readonly awaitedAuthority: typeof awaitedAuthority;
    readonly openProvisioningService: typeof openProvisioningService;
    readonly provisioningServiceUrl: typeof provisioningServiceUrl;
    readonly readProvisioningRecord: typeof readProvisioningRecord;
    /** Throws for a certificate that no quote can stand under. */
    readonly trustedRootFromCertificate: (pem: string) => unknown;
  };
}

/**
 * A service whose root and CA are files that may not be there yet, and change: in a cluster they come from a ConfigMap.
 * While they cannot be read, a platform that was certified before goes on under the root it was certified under, and one
 * that was not waits, so that no node gets a root of its own meanwhile.
 */
export class FollowedService {
  readonly #options: FollowedServiceOptions;
  #authority: RemoteProvisioningAuthority | undefined;
  /** What {@link #authority} was opened with; undefined: it is awaited. */
  #trust: PccsTrust | undefined;
  #unreadable = "";

  constructor(options: FollowedServiceOptions) {
    this.#options = options;
    // An address that cannot be used is a mistake, whatever the files say.
    options.software.provisioningServiceUrl(options.access.url);
  }

  get authority(): RemoteProvisioningAuthority {
    return this.#authority ?? this.open();
  }

  /** The authority for root and CA as they are now; the one that there is as long as they are the same. Fails with STATE_*. */
  open(): RemoteProvisioningAuthority {
    const trust = this.#read() ?? this.#trust ?? this.#recorded();
    if (this.#authority !== undefined && isSame(trust, this.#trust)) return this.#authority;
    this.#authority = trust === undefined ? this.#awaited() : this.#opened(trust);
    this.#trust = trust;
    return this.#authority;
  }

  outdated(inUse: ProvisioningAuthority): boolean {
    const trust = this.#read();
    if (trust === undefined) return false;
    return inUse !== this.#authority || !isSame(trust, this.#trust);
  }

  /** Why not is logged once, and goes into what whoever asks for a quote is told. */
  #read(): PccsTrust | undefined {
    try {
      const trust = this.#options.access.trust();
      this.#options.software.trustedRootFromCertificate(trust.rootCertificatePem);
      this.#unreadable = "";
      return trust;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#unreadable) this.#options.warn(`root or CA of the PCCS: ${why}; looked for again`);
      this.#unreadable = why;
      return undefined;
    }
  }

  #awaited(): RemoteProvisioningAuthority {
    const { access, clock, software } = this.#options;
    const why = () => this.#unreadable || "its root has just come";
    return software.awaitedAuthority(`PCCS at ${new URL(access.url).host}`, why, clock);
  }

  #opened({ rootCertificatePem, tlsCa }: PccsTrust): RemoteProvisioningAuthority {
    const { state, access, clock, random, warn, software } = this.#options;
    return software.openProvisioningService({
      state,
      url: access.url,
      rootCertificatePem,
      ...(tlsCa === undefined ? {} : { tlsCa }),
      userToken: access.userToken,
      clock,
      random,
      warn,
    });
  }

  #recorded(): PccsTrust | undefined {
    const { state, software } = this.#options;
    const record = software.readProvisioningRecord(state);
    if (record?.inUse !== true) return undefined;
    return { rootCertificatePem: record.root, tlsCa: record.tlsCa };
  }
}

function isSame(one: PccsTrust | undefined, other: PccsTrust | undefined): boolean {
  return one?.rootCertificatePem === other?.rootCertificatePem && one?.tlsCa === other?.tlsCa;
}
