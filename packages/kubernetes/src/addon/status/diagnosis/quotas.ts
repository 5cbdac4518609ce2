import { OWN_RESOURCES } from "../../../names.ts";
import { type ClusterView, EPC_RESOURCES } from "./cluster-view.ts";
import { type Problem, problem } from "./problem.ts";
import { recentEvents } from "./recent-events.ts";

/** Quotas that hold nobody, and quotas that hold somebody now. */
export function quotaProblems(view: ClusterView): Problem[] {
  return [...withoutEffect(view), ...exceeded(view)];
}

/** Names are translated before quotas are counted, so that one on the other name never sees a pod. */
function withoutEffect(view: ClusterView): Problem[] {
  const native = view.epcName;
  if (native === undefined) return [];
  return view.snapshot.quotas.flatMap(({ namespace, name, resources }) => {
    const limited = EPC_RESOURCES.filter((each) => resources.includes(each));
    if (limited.length === 0 || limited.some((each) => each === native)) return [];
    const object = { kind: "ResourceQuota", namespace, name };
    return [problem("QUOTA_WITHOUT_EFFECT", object, `it limits ${limited[0]}; this cluster schedules ${native}`)];
  });
}

function exceeded(view: ClusterView): Problem[] {
  return recentEvents(view.snapshot)
    .filter(({ reason, message }) => reason === "FailedCreate" && message.includes("exceeded quota"))
    .flatMap(({ namespace, kind, name, message }) => {
      const resource = OWN_RESOURCES.find((each) => message.includes(each));
      return resource === undefined ? [] : [problem("QUOTA_EXCEEDED", { kind, namespace, name }, message)];
    });
}
