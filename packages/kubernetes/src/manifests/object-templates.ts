import { pluginAccess, serviceAccount } from "./access.ts";
import { nodeStatusPolicies } from "./narrowing/node-status-policies.ts";
import { PLUGIN_NAME, QUOTE_HELPER_NAME } from "./object-names.ts";
import type { ObjectTemplate } from "./object-template.ts";
import { pccsTemplates } from "./pccs/pccs-templates.ts";
import { pluginDaemonSet } from "./plugin-daemon-set.ts";
import { policyTemplates } from "./policies/policy-templates.ts";
import { quoteHelperDaemonSet } from "./quote-helper-daemon-set.ts";
import { webhookTemplates } from "./webhook/webhook-templates.ts";

/**
 * Every object of an installation, in the order in which they are to be applied: policies before the rights that they
 * narrow, rights before who uses them, the PCCS before the helpers that register there.
 */
export const OBJECT_TEMPLATES: readonly ObjectTemplate[] = [
  ...ofPart("plugin", [serviceAccount(PLUGIN_NAME), ...nodeStatusPolicies, ...pluginAccess()]),
  ...policyTemplates,
  ...ofPart("quote-helper", [serviceAccount(QUOTE_HELPER_NAME)]),
  ...pccsTemplates,
  ...ofPart("plugin", [pluginDaemonSet()]),
  ...ofPart("quote-helper", [quoteHelperDaemonSet()]),
  ...webhookTemplates,
];

function ofPart(part: ObjectTemplate["part"], objects: readonly ObjectTemplate["object"][]): readonly ObjectTemplate[] {
  return objects.map((object) => ({ part, object }));
}
