import { type Command, Option } from "commander";
import { SERVICE_ACCOUNT_DIRECTORY } from "../in-cluster/service-account.ts";
import { isLogLevel, LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";

interface NodeStatusOptions {
  plugin: string;
  nodeName?: string;
  tokenFile: string;
  caFile: string;
  apiServer?: string;
  listen: string;
  namespace: string;
  logLevel: string;
  json?: boolean;
}

const NAME = "node-status";

/** `confcom node-status`: writes what the device plugin knows into the node's object. */
export function register(program: Command, output: Output): void {
  program
    .command(NAME)
    .description("write into the cluster what the device plugin of this node says: labels, counters, events")
    .option("--plugin <url>", "where the plugin's status is", "http://127.0.0.1:9101/status")
    .option("--node-name <name>", "this node (default: NODE_NAME)")
    .option("--token-file <file>", "the pod's service account token", `${SERVICE_ACCOUNT_DIRECTORY}/token`)
    .option("--ca-file <file>", "the cluster's CA certificates", `${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`)
    .option("--api-server <url>", "(default: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT)")
    .option("--listen <address>", "where /status, /healthz, /readyz and /metrics are served", "127.0.0.1:9102")
    .option("--namespace <name>", "where events about nodes are kept", "default")
    .addOption(new Option("--log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the ready line as JSON")
    .action((options: NodeStatusOptions) => nodeStatus(options, output));
}

async function nodeStatus(options: NodeStatusOptions, output: Output): Promise<void> {
  const { listenOption, nodeNameOption } = await import("../device-plugin/node-options.ts");
  const { apiServerOption, urlOption } = await import("../in-cluster/api-server-option.ts");
  const node = nodeNameOption(options.nodeName, NAME);
  if (node === undefined) throw usage("--node-name is missing, and so is NODE_NAME", NAME);
  const { logLevel } = options;
  const command = {
    plugin: urlOption(options.plugin, "--plugin", ["http:"], NAME),
    node,
    tokenFile: options.tokenFile,
    caFile: options.caFile,
    apiServer: apiServerOption(options.apiServer, NAME),
    eventNamespace: options.namespace,
    listen: listenOption(options.listen, NAME),
    logLevel: isLogLevel(logLevel) ? logLevel : ("info" as const),
    jsonReadyLine: options.json === true,
  };
  const { runNodeStatus } = await import("../node-status/run-node-status.ts");
  await runNodeStatus(command, output);
}
