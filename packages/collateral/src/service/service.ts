import type { AnswerTo } from "../answer.ts";
import type { CollateralRequest, TcbUpdate } from "../request.ts";
import type { ChangeListener, MaybePromise, StoredPlatform, StoredRegistration } from "../store/store.ts";

/** How the cache fills (spec: DCAP §12). */
export const CACHING_MODES = ["LAZY", "REQ", "OFFLINE"] as const;
export type CachingMode = (typeof CACHING_MODES)[number];

export interface Served<R extends CollateralRequest = CollateralRequest> {
  readonly answer: AnswerTo<R>;
  /** Past its nextUpdate, served within the stale limit: `Warning: 110`. */
  readonly stale: boolean;
  /** Milliseconds since 1970 until which the same answer may be given again without asking. */
  readonly until: number;
}

/** A platform as the PCK ID retrieval tool posts it. Every field is checked for its form before. */
export interface PlatformRegistration {
  readonly qeId: string;
  readonly pceId: string;
  readonly cpuSvn: string;
  readonly pceSvn: string;
  readonly encryptedPpid: string;
  readonly platformManifest: string;
}

/**
 * The service without its transport. Everything fails with ServiceRefusal: 400, 404, 460, 461, 462, 500, 502 or 503;
 * tokens and the form of parameters are the transport's.
 */
export interface CollateralService {
  readonly mode: CachingMode;
  /**
   * Answers at once when the store does and nothing must be fetched. `asking` is called before the upstream is asked for
   * something unknown; what it throws is the answer.
   */
  get<R extends CollateralRequest>(request: R, asking?: () => void): MaybePromise<Served<R>>;
  register(platform: PlatformRegistration, update: TcbUpdate | "all"): Promise<void>;
  /** `reg` and `reg_na` hand the queue over; a list of FMSPCs names cached platforms. */
  platforms(source: "reg" | "reg_na" | readonly string[]): Promise<readonly (StoredRegistration | StoredPlatform)[]>;
  /** PUT /platformcollateral: JSON in UTF-8, as it came. 400 for its form, 460 for a chain or signature. */
  putPlatformCollateral(json: Uint8Array): Promise<void>;
  /** Fetches anew what is cached: all documents, or with `fmspcs` the PCK certificates of platforms of these (empty: of all). */
  refresh(certificatesOf?: readonly string[]): Promise<void>;
  putPolicy(policy: { readonly isDefault: boolean; readonly fmspc: string; readonly policy: string }): Promise<string>;
  policies(fmspc: string): Promise<readonly string[]>;
  /** Rejects when the service cannot serve now: readiness. */
  ping(): Promise<void>;
  /** Whenever answers given before may be wrong now. */
  onChange(listener: ChangeListener): () => void;
  /** Ends background work and waits for what is under way. The store is the caller's. */
  close(): Promise<void>;
}
