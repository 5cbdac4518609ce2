import type { KubernetesObject } from "./kubernetes-object.ts";
import type { ManifestValues } from "./manifest-values.ts";
import { labelsOf, PLUGIN_NAME } from "./object-names.ts";
import { type ManifestPart, values as symbolic } from "./object-template.ts";
import { OBJECT_TEMPLATES } from "./object-templates.ts";
import { evaluate, holds } from "./template/evaluate.ts";
import type { Condition } from "./template/expression.ts";
import { all, isSet, isTrue, not } from "./template/language.ts";

export interface RenderOptions {
  /** Of the image, where the values name none. */
  readonly version: string;
  /** One part with what belongs to it, enabled or not; default: every part that is enabled. */
  readonly only?: ManifestPart | undefined;
}

/** Which parts an installation has; the plugin always. */
export const PART_CONDITIONS: Readonly<Record<ManifestPart, Condition | undefined>> = {
  plugin: undefined,
  "quote-helper": isTrue(symbolic.quoteHelper.enabled),
  webhook: isTrue(symbolic.webhook.enabled),
  policies: isTrue(symbolic.policies.enabled),
  pccs: all(symbolic.pccs.enabled, not(isSet(symbolic.pccs.url))),
};

/** The objects of an installation, in the order in which they are to be applied. */
export function renderManifests(values: ManifestValues, options: RenderOptions): readonly KubernetesObject[] {
  const context = { values, version: options.version };
  const isThere = (condition: Condition | undefined) => condition === undefined || holds(condition, context);
  const isAsked = (part: ManifestPart) =>
    options.only === undefined ? isThere(PART_CONDITIONS[part]) : options.only === part;
  const objects = OBJECT_TEMPLATES.filter((one) => isAsked(one.part) && isThere(one.when)).map(({ object }) =>
    evaluate(object, context),
  );
  return values.createNamespace ? [namespaceObject(values.namespace), ...objects] : objects;
}

/** Both DaemonSets mount directories of the host, which only the level "privileged" allows. */
function namespaceObject(name: string): KubernetesObject {
  const labels = { ...labelsOf(PLUGIN_NAME), "pod-security.kubernetes.io/enforce": "privileged" };
  return { apiVersion: "v1", kind: "Namespace", metadata: { name, labels } };
}
