import type { ClusterSnapshot } from "../snapshot.ts";
import { aesmDirectoryProblems } from "./aesm-directory.ts";
import { ClusterView } from "./cluster-view.ts";
import { epcRequestProblems } from "./epc-requests.ts";
import { notCompletedProblems } from "./not-completed.ts";
import { ownPodProblems, unexplainedPods } from "./own-pods.ts";
import { pccsProblems, quoteRootProblems, rootConsumerProblems } from "./pccs.ts";
import { placementProblems } from "./placement.ts";
import type { Problem } from "./problem.ts";
import { quotaProblems } from "./quotas.ts";
import { quoteHelperProblems } from "./quote-helper.ts";
import { quoteModeProblems } from "./quote-modes.ts";
import { readingProblems } from "./reading.ts";
import { refusedPodProblems } from "./refused-pods.ts";
import { sgxNodeProblems } from "./sgx-node.ts";
import { staleCapacityProblems } from "./stale-capacity.ts";
import { twoAesmsProblems } from "./two-aesms.ts";
import { twoPluginsProblems } from "./two-plugins.ts";
import { versionProblems } from "./versions.ts";
import { webhookProblems } from "./webhook.ts";

const DIAGNOSES: readonly ((view: ClusterView) => Problem[])[] = [
  readingProblems,
  ownPodProblems,
  sgxNodeProblems,
  placementProblems,
  twoPluginsProblems,
  staleCapacityProblems,
  quoteHelperProblems,
  aesmDirectoryProblems,
  twoAesmsProblems,
  quoteModeProblems,
  notCompletedProblems,
  epcRequestProblems,
  refusedPodProblems,
  quotaProblems,
  webhookProblems,
  pccsProblems,
  quoteRootProblems,
  rootConsumerProblems,
  versionProblems,
];

/** Everything in a cluster that somebody should change: errors first, each code once for each object. Never throws. */
export function diagnose(snapshot: ClusterSnapshot): Problem[] {
  const view = new ClusterView(snapshot);
  const found = DIAGNOSES.flatMap((look) => look(view));
  const all = [...found, ...unexplainedPods(view, found)];
  const once = new Map(
    all.map((each) => [JSON.stringify([each.code, each.object]), each]).reverse() as [string, Problem][],
  );
  const rank = ({ severity, code, object }: Problem) =>
    `${severity === "error" ? 0 : 1} ${code} ${object.namespace ?? ""} ${object.name}`;
  return [...once.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}
