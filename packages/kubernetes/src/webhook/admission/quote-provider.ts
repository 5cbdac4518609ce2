import { OWN_QUOTE_PROVIDER_ANNOTATION, QUOTE_PROVIDER_ANNOTATION } from "../../names.ts";
import type { PodView } from "./pod-view.ts";
import { type Refusal, shown } from "./refusal.ts";

/** The value that means out-of-process, and the name of the container that is a pod's own AESM. */
export const AESMD = "aesmd";

/** What a pod's annotation says about who makes its quotes. */
export interface QuoteProvider {
  /** The annotation that says it. */
  readonly annotation: string;
  /** {@link AESMD}, or the name of a container that quotes in-process. */
  readonly value: string;
}

/** Undefined where neither annotation says anything. */
export function quoteProvider({ annotations }: PodView): QuoteProvider | Refusal | undefined {
  const said = [QUOTE_PROVIDER_ANNOTATION, OWN_QUOTE_PROVIDER_ANNOTATION].flatMap((annotation) => {
    const value = Object.hasOwn(annotations, annotation) ? annotations[annotation] : undefined;
    return typeof value === "string" && value !== "" ? [{ annotation, value }] : [];
  });
  const [first, second] = said;
  if (first === undefined || second === undefined || first.value === second.value) return first;
  return {
    code: "QUOTE_PROVIDER_CONTRADICTION",
    message:
      `the annotation ${first.annotation} says ${shown(first.value)}, ${second.annotation} says ` +
      `${shown(second.value)}: write one of the two annotations`,
  };
}
