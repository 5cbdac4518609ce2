import type { Output } from "../../terminal/output.ts";

/** A line on standard error for every so many things done. */
export function progressLines(output: Output, what: string, every = 10_000): (done: number, total?: number) => void {
  return (done, total) => {
    if (done % every === 0) output.note(`${done}${total === undefined ? "" : ` of ${total}`} ${what}`);
  };
}
