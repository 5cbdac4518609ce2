import type { PckTcb } from "@confcom/sgx";

/** What two TCBs are compared by. */
export type ComparableTcb = Pick<PckTcb, "components" | "pceSvn">;

/** Whether a TCB is at or above another: all 16 components and PCESVN. Two TCBs may be neither above nor below. */
export function isAtLeast(tcb: ComparableTcb, other: ComparableTcb): boolean {
  if (tcb.pceSvn < other.pceSvn) return false;
  for (let i = 0; i < 16; i++) if ((tcb.components[i] as number) < (other.components[i] as number)) return false;
  return true;
}

/**
 * Below 0 if `a` comes first: components as one number, then PCESVN, higher ones first. A TCB that is above another always
 * comes before it.
 */
export function compareDescending(a: ComparableTcb, b: ComparableTcb): number {
  for (let i = 0; i < 16; i++) {
    const difference = (b.components[i] as number) - (a.components[i] as number);
    if (difference !== 0) return difference;
  }
  return b.pceSvn - a.pceSvn;
}
