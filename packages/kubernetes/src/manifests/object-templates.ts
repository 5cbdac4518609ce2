import { nodeStatusAdmissionPolicies } from "../node-status/admission-policy.ts";
import { pluginAccess, serviceAccount } from "./access.ts";
import { labelsOf, PLUGIN_NAME, QUOTE_HELPER_NAME } from "./object-names.ts";
import { type ObjectTemplate, values } from "./object-template.ts";
import { pluginDaemonSet } from "./plugin-daemon-set.ts";
import { quoteHelperDaemonSet } from "./quote-helper-daemon-set.ts";

/**
 * Every object of an installation, in the order in which they are to be applied: policies before the rights that they
 * narrow, rights before who uses them.
 */
export const OBJECT_TEMPLATES: readonly ObjectTemplate[] = [
  ...ofPart("plugin", [
    serviceAccount(PLUGIN_NAME),
    ...nodeStatusAdmissionPolicies({
      namespace: values.namespace,
      serviceAccount: PLUGIN_NAME,
      labels: labelsOf(PLUGIN_NAME),
    }),
    ...pluginAccess(),
  ]),
  ...ofPart("quote-helper", [serviceAccount(QUOTE_HELPER_NAME)]),
  ...ofPart("plugin", [pluginDaemonSet()]),
  ...ofPart("quote-helper", [quoteHelperDaemonSet()]),
];

function ofPart(part: ObjectTemplate["part"], objects: readonly ObjectTemplate["object"][]): readonly ObjectTemplate[] {
  return objects.map((object) => ({ part, object }));
}
