import { PCCS_USER_TOKEN_SECRET, QUOTE_ROOT_CONFIG_MAP } from "@confcom/kubernetes/pccs-trust";
import { listenOption } from "../../device-plugin/node-options.ts";
import { apiServerOption } from "../../in-cluster/api-server-option.ts";
import { isLogLevel } from "../../quote-helper/configuration.ts";
import { usage } from "../../usage-error.ts";
import type { TrustCommand } from "./run-trust.ts";

/** As the command line's parser gives them. */
export interface TrustCommandOptions {
  readonly state: string;
  readonly upstream: string;
  readonly upstreamRoot?: string;
  readonly namespace: string;
  readonly configMap?: string;
  readonly secret?: string;
  readonly listen: string;
  readonly tokenFile: string;
  readonly caFile: string;
  readonly apiServer?: string;
  readonly logLevel: string;
  readonly json?: boolean;
}

const NAME = "pccs trust";

/** Throws CommandError `CLI_USAGE`. */
export function trustOptions(options: TrustCommandOptions): TrustCommand {
  const { state, upstream, upstreamRoot, namespace, logLevel, tokenFile, caFile } = options;
  const { configMap = QUOTE_ROOT_CONFIG_MAP, secret = PCCS_USER_TOKEN_SECRET } = options;
  if (!/^(software|intel|https?:\/\/\S+)$/.test(upstream)) {
    throw usage(`--upstream is intel, software or a URL, got "${upstream}"`, NAME);
  }
  if (upstream === "software" && upstreamRoot !== undefined) {
    throw usage("--upstream-root goes with an upstream that is not software, which has its own root", NAME);
  }
  for (const [option, name] of [
    ["--namespace", namespace],
    ["--config-map", configMap],
    ["--secret", secret],
  ] as const) {
    if (name.length <= 253 && /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name)) continue;
    throw usage(`${option} takes the name of an object, got "${name}"`, NAME);
  }
  return {
    stateDirectory: state,
    upstream,
    upstreamRoot,
    namespace,
    configMap,
    secret,
    tokenFile,
    caFile,
    apiServer: apiServerOption(options.apiServer, NAME),
    listen: listenOption(options.listen, NAME),
    logLevel: isLogLevel(logLevel) ? logLevel : "info",
    jsonReadyLine: options.json === true,
  };
}
