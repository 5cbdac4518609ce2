import type { PodContainer } from "../../../effective-request.ts";
import { AESM_VARIABLE } from "../../../names.ts";
import { at, listAt, mapAt, numberAt, textAt, timeAt } from "./json.ts";

export interface ContainerFacts extends PodContainer {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** What is set aside: limits, and requests where there is no limit. */
  readonly resources: ReadonlyMap<string, string>;
  /** `SGX_AESM_ADDR` is set and not empty. */
  readonly aesmVariable: boolean;
  readonly mounts: readonly MountFacts[];
  readonly ready: boolean;
  readonly restarts: number;
  readonly waiting: { readonly reason: string; readonly message: string } | null;
  /** How the container ended last. */
  readonly ended: { readonly exitCode: number; readonly reason: string; readonly message: string } | null;
}

export interface MountFacts {
  readonly volume: string;
  readonly path: string;
  readonly subPath: string;
  readonly readOnly: boolean;
}

export interface VolumeFacts {
  readonly name: string;
  readonly hostPath: { readonly path: string; readonly type: string } | null;
  /** Of a volume that is a ConfigMap. */
  readonly configMap: string;
}

export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** Null before it is scheduled. */
  readonly node: string | null;
  readonly phase: string;
  readonly reason: string;
  readonly message: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly owner: { readonly kind: string; readonly name: string } | null;
  readonly createdAt: number | undefined;
  readonly deleting: boolean;
  readonly ready: boolean;
  /** What the scheduler says while it finds no node. */
  readonly unschedulable: string;
  readonly containers: readonly ContainerFacts[];
  readonly volumes: readonly VolumeFacts[];
  /** Empty: the cluster's usual runtime. */
  readonly runtimeClass: string;
}

/** What is looked at in a pod. A pod that is malformed yields empty facts, never an error. */
export function podFacts(pod: unknown): PodFacts {
  const owner = listAt(pod, "metadata", "ownerReferences").find((each) => at(each, "controller") === true);
  const conditions = listAt(pod, "status", "conditions");
  const condition = (type: string) => conditions.find((each) => textAt(each, "type") === type);
  const scheduled = condition("PodScheduled");
  return {
    namespace: textAt(pod, "metadata", "namespace"),
    name: textAt(pod, "metadata", "name"),
    node: textAt(pod, "spec", "nodeName") || null,
    phase: textAt(pod, "status", "phase"),
    reason: textAt(pod, "status", "reason"),
    message: textAt(pod, "status", "message"),
    labels: mapAt(pod, "metadata", "labels"),
    annotations: mapAt(pod, "metadata", "annotations"),
    owner: owner === undefined ? null : { kind: textAt(owner, "kind"), name: textAt(owner, "name") },
    createdAt: timeAt(pod, "metadata", "creationTimestamp"),
    deleting: textAt(pod, "metadata", "deletionTimestamp") !== "",
    ready: textAt(condition("Ready"), "status") === "True",
    unschedulable: textAt(scheduled, "status") === "False" ? textAt(scheduled, "message") : "",
    containers: containers(pod),
    volumes: listAt(pod, "spec", "volumes").map(volumeFacts),
    runtimeClass: textAt(pod, "spec", "runtimeClassName"),
  };
}

function containers(pod: unknown): ContainerFacts[] {
  const states = new Map(
    ["initContainerStatuses", "containerStatuses"].flatMap((list) =>
      listAt(pod, "status", list).map((status) => [textAt(status, "name"), status] as const),
    ),
  );
  const init = listAt(pod, "spec", "initContainers").map((container) =>
    containerFacts(container, textAt(container, "restartPolicy") === "Always" ? "sidecar" : "init", states),
  );
  const app = listAt(pod, "spec", "containers").map((container) => containerFacts(container, "app", states));
  return [...init, ...app];
}

function containerFacts(
  container: unknown,
  kind: ContainerFacts["kind"],
  states: ReadonlyMap<string, unknown>,
): ContainerFacts {
  const name = textAt(container, "name");
  const status = states.get(name);
  const waiting = at(status, "state", "waiting");
  const ended = at(status, "state", "terminated") ?? at(status, "lastState", "terminated");
  const variable = listAt(container, "env").find((each) => textAt(each, "name") === AESM_VARIABLE);
  return {
    name,
    kind,
    image: textAt(container, "image"),
    args: listAt(container, "args").filter((each): each is string => typeof each === "string"),
    resources: new Map([...mapAt(container, "resources", "requests"), ...mapAt(container, "resources", "limits")]),
    aesmVariable: textAt(variable, "value") !== "" || at(variable, "valueFrom") !== undefined,
    mounts: listAt(container, "volumeMounts").map((mount) => ({
      volume: textAt(mount, "name"),
      path: textAt(mount, "mountPath"),
      subPath: textAt(mount, "subPath"),
      readOnly: at(mount, "readOnly") === true,
    })),
    ready: at(status, "ready") === true,
    restarts: numberAt(status, "restartCount"),
    waiting: waiting === undefined ? null : { reason: textAt(waiting, "reason"), message: textAt(waiting, "message") },
    ended:
      ended === undefined
        ? null
        : {
            exitCode: numberAt(ended, "exitCode"),
            reason: textAt(ended, "reason"),
            message: textAt(ended, "message"),
          },
  };
}

function volumeFacts(volume: unknown): VolumeFacts {
  const path = textAt(volume, "hostPath", "path");
  return {
    name: textAt(volume, "name"),
    hostPath: path === "" ? null : { path, type: textAt(volume, "hostPath", "type") },
    configMap: textAt(volume, "configMap", "name"),
  };
}
