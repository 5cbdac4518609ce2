import type { CountersSnapshot, DropReason } from "@confcom/aesm";
import type { Readiness } from "./readiness.ts";

/** What the quote helper says about itself on `GET /status`. Fields are only ever added. */
export interface QuoteHelperStatus {
  readonly version: string;
  /** Name of the node, where the helper was told. */
  readonly node: string | null;
  /** When this was written, RFC 3339. */
  readonly now: string;
  readonly startedAt: string;
  readonly phase: "starting" | "serving" | "stopping";
  /** The last verdict of `/readyz`; null before the first question. */
  readonly ready: Readiness | null;
  readonly socket: { readonly path: string; readonly ours: boolean };
  /** Null while it is being opened. */
  readonly platform: PlatformStatus | null;
  /** The service that certifies the platform; null: its own authority does. */
  readonly provisioning: ProvisioningStatus | null;
  readonly workers: number;
  readonly connections: ConnectionFigures;
}

export interface PlatformStatus {
  readonly name: "software";
  readonly profile: string;
  readonly cpuSvn: string;
  /** pub_key_id, hexadecimal; null before the first init_quote_ex of a new platform. */
  readonly attestationKey: string | null;
  /** "SHA-256 AB:CD:...": the root certificate that its quotes stand under, or will; null while it is not known yet. */
  readonly root: string | null;
}

export interface ProvisioningStatus {
  /** "PCCS at URL". */
  readonly service: string;
  /**
   * `awaiting-root`: the files with its root and CA are not there yet; `unregistered`: it has not certified the platform
   * yet under that root; `registered`: it has, and quotes are made also while it is away.
   */
  readonly state: "awaiting-root" | "unregistered" | "registered";
  /** The root that it is to certify under. Another than `platform.root`: quotes still stand under the one before. */
  readonly root: string | null;
  /** False while the last attempt to be certified there failed. */
  readonly ok: boolean;
  /** RFC 3339; null: not since the start, for the stored certificate was good. */
  readonly lastSuccess: string | null;
  readonly failure: { readonly code: string; readonly message: string; readonly at: string } | null;
  /** RFC 3339: before then the service is left alone; null: it may be asked. */
  readonly nextAttempt: string | null;
}

/** Sums over all event loops since the start. */
export interface ConnectionFigures {
  readonly accepted: number;
  readonly open: number;
  readonly answers: readonly { readonly operation: string; readonly code: number; readonly count: number }[];
  readonly dropped: Readonly<Partial<Record<DropReason, number>>>;
}

/** Adds the counters of the event loops up; reasons for drops that never occurred are left out. */
export function connectionFigures(loops: readonly CountersSnapshot[]): ConnectionFigures {
  const answers = new Map<string, { operation: string; code: number; count: number }>();
  const dropped: Partial<Record<DropReason, number>> = {};
  let accepted = 0;
  let open = 0;
  for (const loop of loops) {
    accepted += loop.accepted;
    open += loop.open;
    for (const { operation, code, count } of loop.answers) {
      const key = `${operation} ${code}`;
      const sum = answers.get(key);
      if (sum === undefined) answers.set(key, { operation, code, count });
      else sum.count += count;
    }
    for (const [reason, count] of Object.entries(loop.dropped) as [DropReason, number][]) {
      if (count > 0) dropped[reason] = (dropped[reason] ?? 0) + count;
    }
  }
  return { accepted, open, answers: [...answers.values()], dropped };
}
