import { type Command, Option } from "commander";
import { OUTPUT_FORMATS, type OutputFormat } from "./addon-output.ts";

/** Flags of every command that speaks to a cluster; the names that `az aks` has for them, and kubectl's. */
export interface ClusterFlags {
  name?: string;
  resourceGroup?: string;
  kubeconfig?: string;
  context?: string;
  namespace?: string;
  output?: OutputFormat;
  json?: boolean;
  query?: string;
  onlyShowErrors?: boolean;
}

export function addClusterFlags(command: Command): Command {
  return command
    .option("-n, --name <name>", "the cluster: a context of the kubeconfig, as az aks get-credentials names it")
    .option("-g, --resource-group <name>", "taken for scripts of az, and repeated in the output")
    .option("--kubeconfig <file>", "default: KUBECONFIG, ~/.kube/config, or the pod's service account")
    .option("--context <name>", "a context of the kubeconfig (default: the current one)")
    .option("--namespace <name>", "of the add-on (default: where it is, else kube-system)")
    .addOption(new Option("-o, --output <format>", "how to print (default: json)").choices(OUTPUT_FORMATS))
    .option("--json", "as -o json")
    .option("--only-show-errors", "no progress and no warnings")
    .addOption(new Option("--subscription <name>", "taken for scripts of az").hideHelp())
    .addOption(new Option("--query <jmespath>", "not supported: use jq or -o yaml").hideHelp());
}
