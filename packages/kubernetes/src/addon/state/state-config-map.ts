import { KubernetesError, messageOf } from "../../errors.ts";
import type { KubernetesObject, ObjectMeta, StringMap } from "../../manifests/kubernetes-object.ts";
import { ADDON_CONFIG_MAP, PART_OF_LABEL } from "../../manifests/object-names.ts";
import type { ClusterObject } from "../cluster-access.ts";
import type { ObjectReference } from "../object-reference.ts";
import { type AddonConfig, type AddonProfile, QUOTE_HELPER_SETTING } from "../profile.ts";
import { type AddonState, type FoundState, PHASES } from "./addon-state.ts";

/**
 * What the keys of the ConfigMap mean. A version that adds keys counts SCHEMA up; one that old versions must not touch
 * counts READABLE_BY up too.
 */
const SCHEMA = 1;
const READABLE_BY = 1;

/** Objects of an inventory; an installation has some fifty. */
const MAX_INVENTORY = 1000;

interface StateConfigMap extends KubernetesObject {
  readonly metadata: ObjectMeta & { readonly resourceVersion?: string };
  readonly data: StringMap;
}

/** With a resource version: to be written only if nobody has written since. */
export function stateConfigMap(state: AddonState, namespace: string, resourceVersion?: string): StateConfigMap {
  const { phase, version, profile, values, registry, inventory } = state;
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: ADDON_CONFIG_MAP,
      namespace,
      labels: { [PART_OF_LABEL]: "confcom" },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    data: {
      schema: String(SCHEMA),
      "readable-by": String(READABLE_BY),
      phase,
      version,
      profile: JSON.stringify(profile),
      values: JSON.stringify(values),
      ...(registry === null ? {} : { registry }),
      inventory: JSON.stringify(inventory),
    },
  };
}

/** Throws KubernetesError `ADDON_STATE_NEWER` or `ADDON_STATE_MALFORMED`. */
export function readState(configMap: ClusterObject): FoundState {
  const data = configMap.data as StringMap | undefined;
  const { namespace = "", resourceVersion = "" } = configMap.metadata;
  const where = `ConfigMap ${namespace}/${ADDON_CONFIG_MAP}`;
  const readableBy = Number(data?.["readable-by"]);
  if (Number.isInteger(readableBy) && readableBy > SCHEMA) {
    const message = `${where} was written by confcom ${data?.version ?? "?"}; reading it takes a confcom with state schema ${readableBy}, this one has ${SCHEMA}`;
    throw new KubernetesError("ADDON_STATE_NEWER", message);
  }
  try {
    const phase = PHASES.find((one) => one === data?.phase);
    if (data === undefined || phase === undefined || !(readableBy >= 1)) throw new Error("phase or schema is unknown");
    return {
      namespace,
      resourceVersion,
      phase,
      version: data.version ?? "",
      profile: readProfile(parsed(data.profile)),
      values: map(parsed(data.values)),
      registry: data.registry ?? null,
      inventory: readInventory(parsed(data.inventory)),
    };
  } catch (cause) {
    throw new KubernetesError("ADDON_STATE_MALFORMED", `${where} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

const parsed = (text: string | undefined): unknown => JSON.parse(text ?? "null");

function map(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("a key holds no map");
  return value as Readonly<Record<string, unknown>>;
}

function readProfile(value: unknown): AddonProfile {
  const { enabled, config } = map(value);
  if (typeof enabled !== "boolean") throw new Error("profile does not say whether it is enabled");
  return { enabled, config: config === null ? null : readConfig(map(config)), identity: null };
}

function readConfig(config: Readonly<Record<string, unknown>>): AddonConfig {
  return { [QUOTE_HELPER_SETTING]: config[QUOTE_HELPER_SETTING] === "true" ? "true" : "false" };
}

function readInventory(value: unknown): readonly ObjectReference[] {
  if (!Array.isArray(value) || value.length > MAX_INVENTORY) throw new Error("inventory is no list of objects");
  return value.map((one: unknown) => {
    const { apiVersion, kind, resource, namespace, name } = map(one);
    const required = [apiVersion, kind, resource, name];
    if (!required.every((text) => typeof text === "string" && text !== ""))
      throw new Error("inventory names no object");
    if (namespace !== undefined && typeof namespace !== "string") throw new Error("inventory names no namespace");
    return {
      apiVersion: apiVersion as string,
      kind: kind as string,
      resource: resource as string,
      ...(namespace === undefined ? {} : { namespace }),
      name: name as string,
    };
  });
}
