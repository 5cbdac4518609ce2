import { PCCS_NAME, QUOTE_HELPER_NAME, QUOTE_ROOT_CONFIG_MAP } from "../../../manifests/object-names.ts";
import type { ClusterView } from "./cluster-view.ts";
import { type Problem, podName, problem } from "./problem.ts";

/** The PCCS in the cluster, its claim, and how helpers get on with it. */
export function pccsProblems(view: ClusterView): Problem[] {
  const own = pccsItself(view);
  return [...own, ...helpersOfPccs(view, own.length > 0)];
}

function pccsItself(view: ClusterView): Problem[] {
  const { namespace, claims, storageClasses } = view.snapshot;
  const deployment = view.workload(PCCS_NAME);
  const pending = claims.filter(({ phase }) => phase === "Pending");
  const classes = storageClasses.map(({ name, isDefault }) => (isDefault ? `${name} (default)` : name)).join(", ");
  const unbound = pending
    .filter(
      ({ className }) =>
        !storageClasses.some(({ name, isDefault }) => (className === "" ? isDefault : name === className)),
    )
    .map(({ name, className }) => {
      const wanted = className === "" ? "the default StorageClass" : `StorageClass ${className}`;
      const cause = `it wants ${wanted}; the cluster has ${classes || "none"}`;
      return problem("PCCS_CLAIM_PENDING", { kind: "PersistentVolumeClaim", namespace, name }, cause);
    });
  if (deployment === undefined || deployment.ready > 0 || unbound.length > 0) return unbound;
  const pods = view.podsOf(PCCS_NAME);
  const failing = pods.some(
    ({ containers, unschedulable }) =>
      unschedulable !== "" || containers.some(({ waiting }) => waiting !== null && /BackOff|Err/.test(waiting.reason)),
  );
  // Then the pod's own problem says more.
  if (failing) return [];
  const cause = `0 of ${deployment.desired} replicas ready, ${pods.length} pods`;
  return [problem("PCCS_DOWN", { kind: "Deployment", namespace, name: PCCS_NAME }, cause)];
}

const NAME_UNRESOLVED = /ENOTFOUND|EAI_AGAIN|getaddrinfo/;

/** Codes with which a PCCS says that the service behind it is out of reach. */
const UPSTREAM = /upstream|behind it/i;

function helpersOfPccs(view: ClusterView, pccsTold: boolean): Problem[] {
  return view.daemons(QUOTE_HELPER_NAME).flatMap(({ pod, helper }) => {
    const provisioning = helper?.provisioning;
    if (provisioning == null || provisioning.ok) return [];
    const object = podName({ namespace: view.snapshot.namespace, name: pod });
    const cause = `${provisioning.service}: ${provisioning.code} ${provisioning.message}`;
    if (NAME_UNRESOLVED.test(provisioning.message)) return [problem("PCCS_NAME_UNRESOLVED", object, cause)];
    if (UPSTREAM.test(provisioning.message)) return [problem("PCCS_UPSTREAM", object, cause)];
    return pccsTold ? [] : [problem("PCCS_UNREACHABLE", object, cause)];
  });
}

/** One root for the cluster: what is published, and what helpers quote under. */
export function quoteRootProblems(view: ClusterView): Problem[] {
  const { root, namespace } = view.snapshot;
  const configMap = { kind: "ConfigMap", namespace, name: QUOTE_ROOT_CONFIG_MAP };
  const pccsReady = (view.workload(PCCS_NAME)?.ready ?? 0) > 0;
  if (root === null || root.sha256 === "") {
    if (!pccsReady) return [];
    return [
      problem("ROOT_MISSING", configMap, root === null ? "it is not there" : "its root-ca.pem is no certificate"),
    ];
  }
  return view.daemons(QUOTE_HELPER_NAME).flatMap(({ pod, helper, unread }) => {
    if (helper === null || unread !== null || helper.rootSha256 === "" || helper.rootSha256 === root.sha256) return [];
    const whose = helper.provisioning === null ? "it certifies its platform itself: " : "";
    const cause = `${whose}its root has SHA-256 ${helper.rootSha256}, the published one ${root.sha256}`;
    return [problem("ROOT_MISMATCH", podName({ namespace, name: pod }), cause)];
  });
}

/** Relying parties that wait for the root in a namespace that has none. */
export function rootConsumerProblems(view: ClusterView): Problem[] {
  return view.applications.flatMap((pod) => {
    const mounts = pod.volumes.some(({ configMap }) => configMap === QUOTE_ROOT_CONFIG_MAP);
    const started = pod.containers.some(({ kind, waiting, ready }) => kind === "app" && (ready || waiting === null));
    if (!mounts || pod.namespace === view.snapshot.namespace || pod.phase !== "Pending" || pod.node === null || started)
      return [];
    const told = view.snapshot.events.some(
      ({ kind, namespace, name, message }) =>
        kind === "Pod" &&
        namespace === pod.namespace &&
        name === pod.name &&
        message.includes(`"${QUOTE_ROOT_CONFIG_MAP}" not found`),
    );
    return told
      ? [
          problem(
            "ROOT_NAMESPACE",
            podName(pod),
            `namespace ${pod.namespace} has no ConfigMap ${QUOTE_ROOT_CONFIG_MAP}`,
          ),
        ]
      : [];
  });
}
