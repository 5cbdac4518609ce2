import type { ManifestPart } from "@confcom/kubernetes/manifests";
import { type Command, Option } from "commander";
import { readInput } from "../input/read-input.ts";
import type { Output } from "../terminal/output.ts";
import { VERSION } from "../version.ts";

interface ManifestsOptions {
  values?: string;
  set: string[];
  only?: ManifestPart;
  json?: boolean;
}

/** Written out, so that help and completion load nothing. */
const PARTS: readonly ManifestPart[] = ["plugin", "quote-helper", "webhook", "policies", "pccs"];

const VALUES_SIZE = 256 * 1024;

/** `confcom manifests`: what to apply to a cluster, and nothing is applied. */
export function register(program: Command, output: Output): void {
  program
    .command("manifests")
    .description("print the Kubernetes objects of an installation, for kubectl apply -f -")
    .option("--values <file>", "YAML or JSON with values (docs/kubernetes.md lists them), - for standard input")
    .option(
      "--set <key=value>",
      "one value, after the file's; dots descend, the value is YAML (may be repeated)",
      (text: string, all: string[]) => [...all, text],
      [] as string[],
    )
    .addOption(new Option("--only <part>", "one part with what belongs to it, enabled or not").choices(PARTS))
    .option("--json", "print a List as JSON")
    .action((options: ManifestsOptions) => manifests(options, output));
}

async function manifests(options: ManifestsOptions, output: Output): Promise<void> {
  const { manifestValues, manifestYaml, parseValues, renderManifests, setValue } = await import(
    "@confcom/kubernetes/manifests"
  );
  const file =
    options.values === undefined
      ? {}
      : parseValues(new TextDecoder().decode(readInput(options.values, "the values", VALUES_SIZE)), options.values);
  const values = manifestValues(options.set.reduce(setValue, file));
  const objects = renderManifests(values, { version: VERSION, only: options.only });
  if (options.json) output.json({ apiVersion: "v1", kind: "List", items: objects });
  else output.raw(new TextEncoder().encode(manifestYaml(objects)));
}
