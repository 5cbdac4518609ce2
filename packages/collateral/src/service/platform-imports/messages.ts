import type { CertificationCa } from "../../request.ts";
import type { PackedChanges } from "../../store/packed-changes.ts";
import type { PlatformKey, RawTcbKey } from "../../store/store.ts";

/** Between the thread that answers and the one that checks what is imported. */

/** What the store has; of a CRL that comes without its chain. */
export type PckChains = Readonly<Partial<Record<CertificationCa, string | undefined>>>;

export type ImportRequest =
  | {
      readonly kind: "check";
      readonly id: number;
      readonly json: Uint8Array;
      readonly rootCaCrl: Uint8Array | undefined;
      readonly pckChains: PckChains;
    }
  /** The answer to `raw-tcbs`, in its order. */
  | { readonly kind: "raw-tcbs"; readonly id: number; readonly rawTcbs: readonly (readonly RawTcbKey[])[] };

export type ImportReply =
  /** What the store has of these platforms is wanted. */
  | { readonly kind: "raw-tcbs"; readonly id: number; readonly keys: readonly PlatformKey[] }
  | { readonly kind: "changes"; readonly id: number; readonly changes: PackedChanges }
  | { readonly kind: "refused"; readonly id: number; readonly status: 400 | 460; readonly reason: string }
  | { readonly kind: "failed"; readonly id: number; readonly reason: string };

export interface ImportSettings {
  readonly trustedRoots: readonly Uint8Array[];
}
