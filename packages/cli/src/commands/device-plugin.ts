import { isAbsolute } from "node:path";
import { AESM_DIRECTORY, DEVICE_PLUGIN_DIRECTORY, POD_RESOURCES_SOCKET } from "@confcom/kubernetes/names";
import { type Command, Option } from "commander";
import { isLogLevel, LOG_LEVELS } from "../quote-helper/configuration.ts";
import type { Output } from "../terminal/output.ts";
import { parseInteger, usage } from "../usage-error.ts";

interface DevicePluginOptions {
  resourceNames: "azure" | "intel";
  mode: "auto" | "device" | "counter";
  numa?: boolean;
  provisionWithEpc?: boolean;
  enclaveSlots: string;
  provisionSlots: string;
  quoteSlots: string;
  hostRoot: string;
  devicePluginDirectory: string;
  podResourcesSocket: string;
  aesmDirectory: string;
  cpuidFrom?: string;
  cpuidTo?: string;
  epcMib?: string;
  nodeName?: string;
  listen: string;
  rescanSeconds: string;
  logLevel: string;
  json?: boolean;
}

const NAME = "device-plugin";
const SLOTS = "110";
const MAX_SLOTS = 10_000;
const MAX_EPC_MIB = 2 ** 26;

/** `confcom device-plugin`: EPC, devices and quotes as resources of a Kubernetes node. */
export function register(program: Command, output: Output): void {
  program
    .command(NAME)
    .description("offer this node's SGX to the kubelet, in the foreground")
    .addOption(
      new Option("--resource-names <whose>", "azure: EPC in MiB; intel: EPC in bytes, always a counter")
        .choices(["azure", "intel"])
        .default("azure"),
    )
    .addOption(
      new Option("--mode <mode>", "EPC as one device per MiB or as a counter; auto: devices up to 65,536 MiB")
        .choices(["auto", "device", "counter"])
        .default("auto"),
    )
    .option("--numa", "devices say their NUMA node, which lowers what fits in one list to about 199,700 MiB")
    .option("--provision-with-epc", "give every container with EPC the provisioning device too, as AKS once did")
    .option("--enclave-slots <number>", "slots of sgx.intel.com/enclave", SLOTS)
    .option("--provision-slots <number>", "slots of sgx.intel.com/provision", SLOTS)
    .option("--quote-slots <number>", "slots of sgx.confcom.dev/quote", SLOTS)
    .option("--host-root <dir>", "where the host's /dev and /sys are", "/")
    .option("--device-plugin-directory <dir>", "the kubelet's", DEVICE_PLUGIN_DIRECTORY)
    .option("--pod-resources-socket <path>", "the kubelet's", POD_RESOURCES_SOCKET)
    .option("--aesm-directory <dir>", "where the quote helper's socket is", AESM_DIRECTORY)
    .option("--cpuid-from <file>", "EPC's size as --cpuid-to wrote it down, where sysfs does not say it")
    .option("--cpuid-to <file>", "write down what CPUID says and end (privileged init container)")
    .option("--epc-mib <number>", "EPC's size where nothing else says it")
    .option("--node-name <name>", "this node (default: NODE_NAME)")
    .option("--listen <address>", "where /status, /healthz, /readyz and /metrics are served", "127.0.0.1:9101")
    .option("--rescan-seconds <number>", "how often devices and EPC are looked at", "5")
    .addOption(new Option("--log-level <level>", "how much to log").choices(LOG_LEVELS).default("info"))
    .option("--json", "print the ready line as JSON")
    .action((options: DevicePluginOptions) => devicePlugin(options, output));
}

async function devicePlugin(options: DevicePluginOptions, output: Output): Promise<void> {
  const { cpuidTo, cpuidFrom, epcMib, logLevel } = options;
  if (cpuidTo !== undefined) {
    const { readCpuidDevice, writeCpuidFile } = await import("@confcom/kubernetes");
    const record = readCpuidDevice(options.hostRoot);
    writeCpuidFile(cpuidTo, record);
    output.note("unavailable" in record ? record.unavailable : `${record.leaves.length} CPUID leaves written down`);
    return;
  }
  if (options.numa === true && (options.resourceNames === "intel" || options.mode === "counter")) {
    throw usage("--numa goes with devices: a counter of EPC has no NUMA node", NAME);
  }
  const { listenOption, nodeNameOption } = await import("../device-plugin/node-options.ts");
  const slots = (text: string, flag: string) => parseInteger(text, flag, 0, MAX_SLOTS);
  const command = {
    node: nodeNameOption(options.nodeName, NAME) ?? null,
    resourceNames: options.resourceNames,
    mode: options.mode,
    numa: options.numa === true,
    provisionWithEpc: options.provisionWithEpc === true,
    slots: {
      enclave: slots(options.enclaveSlots, "--enclave-slots"),
      provision: slots(options.provisionSlots, "--provision-slots"),
      quote: slots(options.quoteSlots, "--quote-slots"),
    },
    hostRoot: absolute(options.hostRoot, "--host-root"),
    directory: absolute(options.devicePluginDirectory, "--device-plugin-directory"),
    podResourcesSocket: absolute(options.podResourcesSocket, "--pod-resources-socket"),
    aesmDirectory: absolute(options.aesmDirectory, "--aesm-directory"),
    cpuidFile: cpuidFrom,
    epcMiB: epcMib === undefined ? undefined : parseInteger(epcMib, "--epc-mib", 1, MAX_EPC_MIB),
    listen: listenOption(options.listen, NAME),
    rescanMs: parseInteger(options.rescanSeconds, "--rescan-seconds", 1, 3600) * 1000,
    logLevel: isLogLevel(logLevel) ? logLevel : ("info" as const),
    jsonReadyLine: options.json === true,
  };
  const { runDevicePlugin } = await import("../device-plugin/run-device-plugin.ts");
  await runDevicePlugin(command, output);
}

/** An empty or relative path would be one below whatever directory the daemon was started in. */
function absolute(path: string, flag: string): string {
  if (!isAbsolute(path)) throw usage(`${flag} takes an absolute path, got "${path}"`, NAME);
  return path;
}
