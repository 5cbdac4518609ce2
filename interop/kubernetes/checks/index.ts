import type { Check } from "../../check.ts";
import type { ClusterScene } from "../scene.ts";
import { addonDisable } from "./addon-disable.ts";
import { addonEnable } from "./addon-enable.ts";
import { addonInterrupted } from "./addon-interrupted.ts";
import { addonStatusChecks } from "./addon-status.ts";
import { addonUpdate } from "./addon-update.ts";
import { admissionPolicy } from "./admission-policy.ts";
import { apiServerAway } from "./api-server-away.ts";
import { attestation } from "./attestation.ts";
import { bothNamesAzure, bothNamesIntel } from "./both-names.ts";
import { daemons } from "./daemons.ts";
import { devCluster } from "./dev-cluster.ts";
import { deviceVanishes } from "./device-vanishes.ts";
import { discovery } from "./discovery.ts";
import { epcSizeChanges } from "./epc-size-changes.ts";
import { filledNode } from "./filled-node.ts";
import { firstQuote } from "./first-quote.ts";
import { foreignPlugin } from "./foreign-plugin.ts";
import { harnessKilled } from "./harness-killed.ts";
import { helmChart } from "./helm-chart.ts";
import { helperKilled } from "./helper-killed.ts";
import { kubeletRestart } from "./kubelet-restart.ts";
import { matchConditions } from "./match-conditions.ts";
import { memory } from "./memory.ts";
import { narrowedRights } from "./narrowed-rights.ts";
import { numa } from "./numa.ts";
import { oneRoot } from "./one-root.ts";
import { optIn } from "./opt-in.ts";
import { placement } from "./placement.ts";
import { pluginKilled } from "./plugin-killed.ts";
import { policies } from "./policies.ts";
import { provisionWithEpc } from "./provision-with-epc.ts";
import { quoteSlots } from "./quote-slots.ts";
import { rights } from "./rights.ts";
import { rollingUpdate } from "./rolling-update.ts";
import { sizes } from "./sizes.ts";
import { twoPlugins } from "./two-plugins.ts";
import { webhookUnderLoad } from "./webhook-under-load.ts";

/** Part one, on its own cluster, in the order in which they run: from the first installation over the bad days to the sizes. */
export const checks: readonly Check<ClusterScene>[] = [
  ...firstQuote,
  ...rights,
  ...memory,
  ...placement,
  ...attestation,
  ...admissionPolicy,
  ...discovery,
  ...helperKilled,
  ...rollingUpdate,
  ...pluginKilled,
  ...kubeletRestart,
  ...apiServerAway,
  ...quoteSlots,
  ...epcSizeChanges,
  ...deviceVanishes,
  ...twoPlugins,
  ...foreignPlugin,
  ...daemons,
  ...filledNode,
  ...provisionWithEpc,
  ...numa,
  ...sizes,
  ...harnessKilled,
  ...devCluster,
];

/** Part two, on a second cluster that is empty when the first of them runs. Those that want the same values stand together. */
export const addonChecks: readonly Check<ClusterScene>[] = [
  ...addonEnable,
  ...matchConditions,
  ...narrowedRights,
  ...policies,
  ...oneRoot,
  ...optIn,
  ...webhookUnderLoad,
  ...addonStatusChecks,
  bothNamesAzure,
  bothNamesIntel,
  ...addonUpdate,
  ...addonInterrupted,
  ...addonDisable,
  ...helmChart,
];
