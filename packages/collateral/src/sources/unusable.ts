import { CollateralError } from "../errors.ts";

/** An answer that cannot be used: what of it, and why. `part` names a header or a body, never its content. */
export function unusable(source: string, part: string, problem: string, cause?: unknown): CollateralError {
  return new CollateralError("SOURCE_ANSWER", `${source}: ${part} ${problem}`, { source, cause });
}
