/** What one reading may cost. Time in ms, size in bytes. */
export interface ReadBounds {
  readonly timeoutMs: number;
  readonly sizeLimit: number;
  readonly signal?: AbortSignal;
}

/**
 * As much of a cluster as its status needs: GET of a path below the API server's address, its answer decoded from JSON.
 * Rejects with an Error whose `status` is the HTTP status of the answer (0 or absent where there was none) and whose
 * message says what happened; also where the answer is no JSON.
 */
export interface StatusAccess {
  read(path: string, bounds: ReadBounds): Promise<unknown>;
}

/** The HTTP status with which a reading failed; 0 where there was no answer. */
export function statusOfFailure(error: unknown): number {
  const status = typeof error === "object" && error !== null && "status" in error ? error.status : 0;
  return typeof status === "number" ? status : 0;
}
