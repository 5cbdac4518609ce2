import type { PodContainer } from "../../effective-request.ts";
import type { Path } from "./json-patch.ts";

export type Members = Readonly<Record<string, unknown>>;

/** The parts of a container that admission looks at. */
export interface ContainerView extends PodContainer {
  /** Of the container in its pod. */
  readonly path: Path;
  readonly name: string;
  /** Among the containers of its list. */
  readonly index: number;
  /** Resource name → quantity, as they came. */
  readonly limits: Members;
  readonly requests: Members;
  readonly env: readonly Members[];
  readonly volumeMounts: readonly Members[];
}

export interface PodView {
  readonly annotations: Members;
  /** Init containers first, in the order in which they start. */
  readonly containers: readonly ContainerView[];
  readonly volumes: readonly Members[];
}

/**
 * Reads a pod as far as admission needs it. Undefined for what is no pod, and for one in which anything that would be
 * read has another type than in the API: that is the API server's to refuse, in its own words.
 */
export function podView(pod: unknown): PodView | undefined {
  try {
    const top = map(pod);
    const spec = map(top.spec);
    const read = (name: "initContainers" | "containers") =>
      listOfMaps(spec[name]).map((container, index) => containerView(container, name, index));
    return {
      annotations: map(map(top.metadata).annotations),
      containers: [...read("initContainers"), ...read("containers")],
      volumes: listOfMaps(spec.volumes),
    };
  } catch (error) {
    if (error instanceof NotAPod) return undefined;
    throw error;
  }
}

class NotAPod extends Error {}

function containerView(container: Members, list: "initContainers" | "containers", index: number): ContainerView {
  const resources = map(container.resources);
  if (typeof container.name !== "string") throw new NotAPod();
  return {
    path: ["spec", list, index],
    name: container.name,
    kind: list === "containers" ? "app" : container.restartPolicy === "Always" ? "sidecar" : "init",
    index,
    limits: map(resources.limits),
    requests: map(resources.requests),
    env: listOfMaps(container.env),
    volumeMounts: listOfMaps(container.volumeMounts),
  };
}

/** What is missing or null is an empty map. */
function map(value: unknown): Members {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) throw new NotAPod();
  return value as Members;
}

function listOfMaps(value: unknown): readonly Members[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new NotAPod();
  return value.map((element: unknown) => {
    if (element === null || element === undefined) throw new NotAPod();
    return map(element);
  });
}
