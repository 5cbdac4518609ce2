import { NODE_STATUS_NAME, PLUGIN_NAME } from "../../../manifests/object-names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type ObjectName, type Problem, podName, problem } from "./problem.ts";
import { ADDON_PROBLEMS } from "./problem-codes.ts";
import { isTold } from "./sgx-node.ts";

const CUT_OFF = "API_SERVER_UNREACHABLE";

/** What this status does not know, and what daemons say that has no row of its own. */
export function readingProblems(view: ClusterView): Problem[] {
  const { namespace, unread, daemons } = view.snapshot;
  const own = { kind: "Namespace", name: namespace };
  const unreadable = new Set(view.ownPods.filter(({ ready }) => ready).map(({ name }) => name));
  const cutOff = new Set(
    view
      .daemons(NODE_STATUS_NAME)
      .filter(({ problems }) => problems.some(({ code }) => code === CUT_OFF))
      .map(({ node }) => node),
  );
  return [
    ...presence(view, own),
    ...unread.map(({ what, why }) => problem("STATUS_INCOMPLETE", own, `${what}: ${why}`)),
    // A pod that is not ready has another problem than that nobody can read it.
    ...daemons
      .filter(({ unread, pod }) => unread !== null && unreadable.has(pod))
      .map(({ daemon, pod, unread }) =>
        problem("DAEMON_UNREADABLE", podName({ namespace, name: pod }), `${daemon}: ${unread}`),
      ),
    ...daemons.flatMap(({ daemon, pod, node, problems }) =>
      problems
        .filter(({ code }) => code !== "" && !isTold(daemon, code))
        // The node's own problem says it, for all pods there.
        .filter(({ code }) => code !== CUT_OFF || node === null || !cutOff.has(node))
        .map(({ code, message, nextStep }) =>
          problem(
            "DAEMON_PROBLEM",
            podName({ namespace, name: pod }),
            `${daemon}: ${code}: ${message}`,
            nextStep || undefined,
          ),
        ),
    ),
  ];
}

/** Whether the add-on is there, and whether a command that has begun still changes that: one problem, with one way out. */
function presence(view: ClusterView, own: ObjectName): Problem[] {
  const { namespace, unread, addon } = view.snapshot;
  const missing = view.workload(PLUGIN_NAME) === undefined && !unread.some(({ what }) => what === "DaemonSets");
  const begun = addon?.phase === "enabling" || addon?.phase === "disabling";
  const state = `the add-on's state is "${addon?.phase}"`;
  if (!missing) return begun ? [problem("ADDON_INTERRUPTED", own, state)] : [];
  const cause = `there is no DaemonSet ${PLUGIN_NAME} in ${namespace}`;
  if (!begun) return [problem("ADDON_MISSING", own, cause)];
  return [problem("ADDON_MISSING", own, `${cause}; ${state}`, ADDON_PROBLEMS.ADDON_INTERRUPTED.remedy)];
}
