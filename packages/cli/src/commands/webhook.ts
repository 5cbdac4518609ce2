import { type Command, Option } from "commander";
import { SERVICE_ACCOUNT_DIRECTORY } from "../in-cluster/service-account.ts";
import { isLogLevel, LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";

interface WebhookOptions {
  listen: string;
  healthListen: string;
  namespace: string;
  service: string;
  configuration: string;
  resourceNames: "azure" | "intel";
  mode: "auto" | "device" | "counter";
  aesmDirectory: string;
  apiServer?: string;
  tokenFile: string;
  caFile: string;
  authorityLife: string;
  certificateLife: string;
  propagationTime: string;
  retentionTime: string;
  pollInterval: string;
  drainTime: string;
  logLevel: string;
  json?: boolean;
}

const NAME = "webhook";
const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** `confcom webhook`: fills in what pods need that want EPC or quotes. */
export function register(program: Command, output: Output): void {
  program
    .command(NAME)
    .description("answer the API server's admission requests: EPC names, quote slots and mounts of new pods")
    .option("--listen <address>", "where the API server calls, HTTPS", "0.0.0.0:9443")
    .option("--health-listen <address>", "where /status, /healthz, /readyz and /metrics are served", "127.0.0.1:9104")
    .option("--namespace <name>", "of the Service and of the Secret that holds the TLS authority", "kube-system")
    .option("--service <name>", "the Service that leads here", "sgx-webhook")
    .option("--configuration <name>", "the MutatingWebhookConfiguration whose caBundle is kept", "sgx-webhook")
    .addOption(
      new Option("--resource-names <family>", "how the cluster names EPC").choices(["azure", "intel"]).default("azure"),
    )
    .addOption(
      new Option("--mode <mode>", "how device plugins publish EPC")
        .choices(["auto", "device", "counter"])
        .default("auto"),
    )
    .option("--aesm-directory <dir>", "the quote helper's directory on the nodes", "/var/run/aesmd")
    .option("--api-server <url>", "(default: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT)")
    .option("--token-file <file>", "the pod's service account token", `${SERVICE_ACCOUNT_DIRECTORY}/token`)
    .option("--ca-file <file>", "the cluster's CA certificates", `${SERVICE_ACCOUNT_DIRECTORY}/ca.crt`)
    .option("--authority-life <time>", "life of the TLS authority; renewed with a third of it left", "365d")
    .option("--certificate-life <time>", "life of this replica's certificate, likewise", "30d")
    .option("--propagation-time <time>", "how long an authority is trusted before it is used", "30s")
    .option("--retention-time <time>", "how long an authority is trusted after it was used", "10m")
    .option("--poll-interval <time>", "how often the cluster is looked at", "10s")
    .option("--drain-time <time>", "how long requests are answered after SIGTERM", "5s")
    .addOption(new Option("--log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the ready line as JSON")
    .action((options: WebhookOptions) => webhook(options, output));
}

async function webhook(options: WebhookOptions, output: Output): Promise<void> {
  const { listenOption } = await import("../device-plugin/node-options.ts");
  const { apiServerOption } = await import("../in-cluster/api-server-option.ts");
  const { resourceNames, mode, aesmDirectory, logLevel } = options;
  if (!/^\/[^\0]{1,4095}$/.test(aesmDirectory)) throw usage("--aesm-directory takes an absolute path", NAME);
  const command = {
    listen: listenOption(options.listen, NAME),
    healthListen: listenOption(options.healthListen, NAME, "--health-listen"),
    namespace: dnsName(options.namespace, "--namespace"),
    service: dnsName(options.service, "--service"),
    configuration: dnsName(options.configuration, "--configuration"),
    // In mode auto some nodes may count EPC without giving the device; a slot more does no harm on the others.
    admission: { resourceNames, enclaveSlot: resourceNames === "intel" || mode !== "device", aesmDirectory },
    apiServer: apiServerOption(options.apiServer, NAME),
    tokenFile: options.tokenFile,
    caFile: options.caFile,
    ...(await times(options)),
    logLevel: isLogLevel(logLevel) ? logLevel : ("info" as const),
    jsonReadyLine: options.json === true,
  };
  const { runWebhook } = await import("../webhook/run-webhook.ts");
  await runWebhook(command, output);
}

async function times(options: WebhookOptions) {
  const { durationOption } = await import("../webhook/duration.ts");
  const time = (text: string, option: string, min: number, max: number) =>
    durationOption(text, option, NAME, [min, max]);
  const times = {
    authorityLife: time(options.authorityLife, "--authority-life", 10 * SECOND, 3650 * DAY),
    certificateLife: time(options.certificateLife, "--certificate-life", 5 * SECOND, 3650 * DAY),
    propagation: time(options.propagationTime, "--propagation-time", 100, DAY),
    retention: time(options.retentionTime, "--retention-time", SECOND, 30 * DAY),
    poll: time(options.pollInterval, "--poll-interval", 50, 600 * SECOND),
  };
  if (times.retention < 2 * times.poll) throw usage("--retention-time is at least twice --poll-interval", NAME);
  return { times, drainTime: time(options.drainTime, "--drain-time", 0, 300 * SECOND) };
}

function dnsName(text: string, option: string): string {
  if (text.length <= 63 && /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text)) return text;
  throw usage(`${option} takes a name of Kubernetes, got "${text}"`, NAME);
}
