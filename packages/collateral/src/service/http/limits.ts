import { CollateralError } from "../../errors.ts";

/** Every bound of the HTTP edge. Times in milliseconds, sizes in bytes. */
export interface HttpLimits {
  /** Request line and all header fields together; beyond it 431. */
  readonly maxHeader: number;
  /** Path and query; beyond it 400. The longest request of Intel's clients is below 1,100. */
  readonly maxUrl: number;
  /** POST /platforms: a manifest has some 30,000 bytes. Beyond a body's limit the answer is 413. */
  readonly maxRegistration: number;
  /** PUT /appraisalpolicy. */
  readonly maxPolicy: number;
  /** PUT /platformcollateral: the reference's limit. Such bodies are read with an admin token only. */
  readonly maxPlatformCollateral: number;
  /** Bodies of platform collateral at a time; one more is answered 503. */
  readonly maxImports: number;
  /** Open connections; one more costs the address that has the most its oldest one. */
  readonly maxConnections: number;
  /** Requests that wait for the service; one more is answered 503. */
  readonly maxInFlight: number;
  /** From connect, or the answer before, to the end of the header. */
  readonly headersTimeout: number;
  /** From the first byte to the end of the body; also the longest time in which a reader takes nothing. */
  readonly requestTimeout: number;
  /** Longest silence between two requests of a connection. */
  readonly keepAliveTimeout: number;
  /** Requests per second and address prefix (/24, /56); beyond it 503 with Retry-After. */
  readonly requestRate: number;
  readonly requestBurst: number;
  /** Of these, those that the response cache does not answer. */
  readonly missRate: number;
  readonly missBurst: number;
  /** Of these, those that the upstream was asked for and had no answer to: per second; beyond it 503 before it is asked. */
  readonly unansweredRate: number;
  readonly unansweredBurst: number;
  /** Wrong tokens per minute and address prefix; beyond it each ends its connection. Right ones always pass. */
  readonly wrongTokens: number;
  /** Prefixes remembered for rates and tokens. */
  readonly maxPrefixes: number;
  /** Built responses kept, with their keys. */
  readonly responseCache: number;
  /** Lines of the access log that wait to be written; more are dropped and counted. */
  readonly maxLogLines: number;
}

/**
 * A whole fleet may come from one address and start at once: 20,000 requests a second are about what one core answers, so
 * that the rate keeps one prefix from the share of others and no fleet from its certificates.
 */
export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  maxHeader: 16 * 1024,
  maxUrl: 8 * 1024,
  maxRegistration: 256 * 1024,
  maxPolicy: 1024 * 1024,
  maxPlatformCollateral: 200_000 * 1024,
  maxImports: 1,
  maxConnections: 16_384,
  maxInFlight: 16_384,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  keepAliveTimeout: 30_000,
  requestRate: 20_000,
  requestBurst: 60_000,
  missRate: 5_000,
  missBurst: 20_000,
  unansweredRate: 10,
  unansweredBurst: 100,
  wrongTokens: 20,
  maxPrefixes: 65_536,
  responseCache: 320 * 1024 * 1024,
  maxLogLines: 65_536,
};

/** What the server takes once, when it starts. */
const FIXED: readonly (keyof HttpLimits)[] = ["maxHeader", "maxConnections", "responseCache", "maxLogLines"];

/**
 * Puts new limits in force where `limits` is gone by. Returns the names of those that differ and need a restart. Fails as
 * {@link httpLimits}, and everything stays.
 */
export function changeLimits(
  limits: { -readonly [K in keyof HttpLimits]: HttpLimits[K] },
  given: Partial<HttpLimits>,
): readonly (keyof HttpLimits)[] {
  const next = httpLimits(given);
  const later = FIXED.filter((name) => next[name] !== limits[name]);
  for (const name of Object.keys(next) as (keyof HttpLimits)[]) {
    if (!FIXED.includes(name)) limits[name] = next[name];
  }
  return later;
}

/** The defaults with what is given instead. Fails with SERVICE_CONFIGURATION: a limit is a whole number above 0. */
export function httpLimits(given: Partial<HttpLimits> = {}): HttpLimits {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!(name in DEFAULT_HTTP_LIMITS)) {
      throw new CollateralError("SERVICE_CONFIGURATION", `there is no limit named ${name}`);
    }
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new CollateralError("SERVICE_CONFIGURATION", `the limit ${name} is ${value}: not a whole number above 0`);
    }
  }
  return limits;
}
