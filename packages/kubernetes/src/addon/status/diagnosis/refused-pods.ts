import { POLICIES_NAME } from "../../../manifests/object-names.ts";
import { PROVISION_LABEL } from "../../../names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, problem } from "./problem.ts";
import type { ProblemCode } from "./problem-codes.ts";
import { recentEvents } from "./recent-events.ts";

/** By what stands in a refusal: the name of a policy, or the webhook's words. */
const REFUSALS: readonly (readonly [words: RegExp, code: ProblemCode])[] = [
  [new RegExp(`${POLICIES_NAME}-provision`), "PROVISION_NAMESPACE"],
  [new RegExp(`${POLICIES_NAME}-epc-amount|denied the request: .*(counts MiB|bytes of EPC)`), "EPC_SUFFIX"],
  [new RegExp(`${POLICIES_NAME}-quoting-mode|denied the request: .*(out-of-process)`), "BOTH_MODES"],
];

/** Controllers whose pods are refused: nobody else hears of it, for there is no pod. */
export function refusedPodProblems(view: ClusterView): Problem[] {
  return recentEvents(view.snapshot).flatMap(({ namespace, kind, name, reason, message }) => {
    if (reason !== "FailedCreate") return [];
    const code = REFUSALS.find(([words]) => words.test(message))?.[1];
    if (code === undefined) return [];
    const allowedSince = view.snapshot.namespaces.get(namespace)?.get(PROVISION_LABEL) === "allowed";
    if (code === "PROVISION_NAMESPACE" && allowedSince) return [];
    return [problem(code, { kind, namespace, name }, message)];
  });
}
