import { isDeepStrictEqual } from "node:util";
import { ApiError } from "../../api/api-error.ts";
import { KubernetesError } from "../../errors.ts";
import { ADDON_CONFIG_MAP, PART_OF_LABEL } from "../../manifests/object-names.ts";
import type { ClusterAccess } from "../cluster-access.ts";
import { type ObjectReference, reference } from "../object-reference.ts";
import { CONFIG_MAPS } from "../resource-kinds.ts";
import type { AddonState, FoundState } from "./addon-state.ts";
import { readState, stateConfigMap } from "./state-config-map.ts";

/**
 * The add-on's state, wherever it is installed: there is one for the cluster. Throws KubernetesError `ADDON_ELSEWHERE`
 * where it is not in the namespace that was asked for, `ADDON_STATE_NEWER`, `ADDON_STATE_MALFORMED`, and ApiError.
 */
export async function findState(access: ClusterAccess, namespace: string | undefined): Promise<FoundState | undefined> {
  const found = await access.list(CONFIG_MAPS, {
    labelSelector: `${PART_OF_LABEL}=confcom`,
    fieldSelector: `metadata.name=${ADDON_CONFIG_MAP}`,
  });
  const chosen = found.find(({ metadata }) => namespace === undefined || metadata.namespace === namespace);
  if (chosen !== undefined) return readState(chosen);
  const [other] = found;
  if (other === undefined) return undefined;
  const message = `the add-on is installed in the namespace ${other.metadata.namespace}, not in ${namespace}`;
  throw new KubernetesError("ADDON_ELSEWHERE", message);
}

/** Writes the state so that two commands at once cannot both go on: each write names what the last one left. */
export class StateStore {
  readonly #access: ClusterAccess;
  readonly #namespace: string;
  #resourceVersion: string | undefined;

  constructor(access: ClusterAccess, namespace: string, found: FoundState | undefined) {
    this.#access = access;
    this.#namespace = namespace;
    this.#resourceVersion = found?.resourceVersion;
  }

  /** Throws KubernetesError `ADDON_STATE_CHANGED`. */
  async write(state: AddonState): Promise<void> {
    const object = stateConfigMap(state, this.#namespace, this.#resourceVersion);
    try {
      // Whoever edited it by hand had no business there.
      const written = await this.#access.apply(object, { force: true });
      this.#resourceVersion = written.metadata.resourceVersion;
    } catch (cause) {
      if (!(cause instanceof ApiError) || cause.status !== 409) throw cause;
      const present = await this.#access.get(this.#reference());
      // Our own write, whose answer was lost, was repeated; or another command wants the very same.
      if (present !== undefined && isDeepStrictEqual(present.data, object.data)) {
        this.#resourceVersion = present.metadata.resourceVersion;
        return;
      }
      const message = `ConfigMap ${this.#namespace}/${ADDON_CONFIG_MAP} was changed meanwhile`;
      throw new KubernetesError("ADDON_STATE_CHANGED", message, { cause });
    }
  }

  async remove(): Promise<void> {
    await this.#access.delete(this.#reference());
  }

  #reference(): ObjectReference {
    return reference(CONFIG_MAPS, ADDON_CONFIG_MAP, this.#namespace);
  }
}
