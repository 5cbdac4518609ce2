/** What the load says on its standard output, one JSON object per line; times are milliseconds since 1970. */
export type LoadLine =
  | { readonly kind: "tick"; readonly at: number; readonly totals: LoadTotals }
  /** Between a failed raw call and the next that succeeded. */
  | {
      readonly kind: "gap";
      readonly from: number;
      readonly to: number;
      readonly failed: number;
      readonly reason: string;
    }
  /** A call of the client library that failed although it tries again by itself. */
  | { readonly kind: "failure"; readonly at: number; readonly after: number; readonly reason: string }
  /** The platform's attestation key: said once, and again whenever it is another one. */
  | { readonly kind: "key"; readonly at: number; readonly pubKeyId: string };

/** Since the start. */
export interface LoadTotals {
  /** Calls without any second attempt. */
  readonly raw: number;
  readonly rawFailed: number;
  /** Whole quotes by the client library as an application uses it. */
  readonly quotes: number;
  readonly quotesFailed: number;
}
