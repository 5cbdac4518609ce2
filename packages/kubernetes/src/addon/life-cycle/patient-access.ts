import { ApiError } from "../../api/api-error.ts";
import type { Clock } from "../../clock.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { pause } from "./life-cycle-options.ts";

/** For one call together, ms: an API server that is restarted, or one of several that is left by its load balancer. */
const PATIENCE = 60_000;

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;

/**
 * Repeats calls that an API server did not answer or was too busy for, once it has answered at all: before that the address
 * is more likely wrong. Every verb of {@link ClusterAccess} may be repeated.
 */
export function patientAccess(access: ClusterAccess, clock: Clock): ClusterAccess {
  let answered = false;
  const patiently = async <T>(call: () => Promise<T>): Promise<T> => {
    const deadline = clock.now() + PATIENCE;
    for (let next = FIRST_PAUSE; ; next = Math.min(next * 2, LONGEST_PAUSE)) {
      try {
        const result = await call();
        answered = true;
        return result;
      } catch (error) {
        if (!answered || !passes(error) || clock.now() >= deadline) throw error;
        await pause(clock, next);
      }
    }
  };
  return {
    version: () => patiently(() => access.version()),
    get: (of) => patiently(() => access.get(of)),
    list: (kind, filter) => patiently(() => access.list(kind, filter)),
    apply: (object, options) => patiently(() => access.apply(object, options)),
    delete: (of, options) => patiently(() => access.delete(of, options)),
    mergePatch: (of, body, subresource) => patiently(() => access.mergePatch(of, body, subresource)),
  };
}

function passes(error: unknown): boolean {
  return error instanceof ApiError && (error.code === "API_SERVER_UNREACHABLE" || error.code === "API_SERVER_BUSY");
}
