import { values } from "./object-template.ts";
import type { Condition } from "./template/expression.ts";
import { all, any, equals, isEmpty, isSet, not } from "./template/language.ts";

/** Values of which each may be right, and which exclude each other. The command refuses them, and the chart too. */
export interface ValueRule {
  readonly refusedWhen: Condition;
  /** Which value to change. */
  readonly value: string;
  readonly because: string;
}

const { resourceNames, mode, numa, slots, quoteHelper, webhook, pccs } = values;

export const VALUE_RULES: readonly ValueRule[] = [
  {
    refusedWhen: all(isSet(pccs.storage.hostPath), isEmpty(pccs.nodeSelector)),
    value: "pccs.storage.hostPath",
    because: "a directory is one node's: say which in pccs.nodeSelector, or use a claim",
  },
  {
    refusedWhen: all(equals(resourceNames, "intel"), equals(mode, "device")),
    value: "mode",
    because: "device does not go with resourceNames intel, whose EPC is a number of bytes; use auto or counter",
  },
  {
    refusedWhen: all(quoteHelper.enabled, equals(slots.provision, 0)),
    value: "slots.provision",
    because: "0 leaves none for the quote helper, which needs one; use 1 or more",
  },
  {
    refusedWhen: all(
      quoteHelper.enabled,
      equals(slots.enclave, 0),
      not(all(equals(resourceNames, "azure"), equals(mode, "device"))),
    ),
    value: "slots.enclave",
    because: "0 leaves none for the quote helper, which needs one unless mode is device; use 1 or more",
  },
  {
    refusedWhen: all(
      webhook.enabled,
      equals(slots.enclave, 0),
      not(all(equals(resourceNames, "azure"), equals(mode, "device"))),
    ),
    value: "slots.enclave",
    because:
      "0 leaves none for pods with EPC, each of which the webhook gives one unless mode is device; use 1 or more",
  },
  {
    refusedWhen: all(numa, any(equals(mode, "counter"), equals(resourceNames, "intel"))),
    value: "numa",
    because: "true needs EPC as devices; use resourceNames azure with mode auto or device",
  },
];
