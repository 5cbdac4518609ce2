import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { Command } from "commander";
import { ensureBinaries } from "./binaries/cluster-binaries.ts";
import { ensureDnsProgram } from "./binaries/dns-program.ts";
import { type AttachedCluster, attachCluster } from "./cluster/attached-cluster.ts";
import type { NodeOptions } from "./cluster/cluster.ts";
import { ClusterError, type ClusterErrorCode, messageOf } from "./cluster/errors.ts";
import { CONTROL_PLANE } from "./cluster/layout.ts";
import { enterMachine, enterNetwork } from "./cluster/namespaces.ts";
import { parseNode, parseNodes } from "./cluster/node-syntax.ts";
import { downCluster, startPersistentCluster } from "./cluster/start-cluster.ts";
import { clusterStatus, statusLines } from "./cluster/status.ts";
import { provideStorage } from "./cluster/storage.ts";
import { ensureImages, IMAGE_NAMES, type ImageName } from "./images/images.ts";

// `confcom-dev`: a real Kubernetes cluster on this machine, for people.

interface Where {
  readonly name: string;
  readonly directory?: string;
}

/** As everywhere in the project: 64 usage, 69 something needed is not there, 70 it went wrong. */
const EXIT_STATUS: Readonly<Record<ClusterErrorCode, number>> = {
  NOT_ROOT: 69,
  PROGRAM_MISSING: 69,
  BAD_NAME: 64,
  BAD_DIRECTORY: 64,
  ALREADY_RUNNING: 69,
  NOT_RUNNING: 69,
  COMPONENT_FAILED: 70,
  COMMAND_FAILED: 70,
  TIMEOUT: 70,
  UNKNOWN_NODE: 64,
};

const note = (line: string) => process.stderr.write(`${line}\n`);
const print = (text: string) => process.stdout.write(`${text}\n`);

function directoryOf(where: Where): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return resolve(where.directory ?? join(cache, "confcom", "cluster", where.name));
}

function withWhere(command: Command): Command {
  return command
    .option("--name <name>", "the cluster's name; clusters of different names run side by side", "dev")
    .option("--directory <directory>", "the cluster's directory (default: one per name in the cache)");
}

interface UpOptions extends Where {
  readonly nodes: string;
  readonly binaries?: string;
  readonly pause?: string;
  readonly images?: string;
  readonly dns: boolean;
  readonly featureGates?: string;
  readonly json?: boolean;
}

async function up(options: UpOptions): Promise<void> {
  const nodes = parseNodes(options.nodes);
  const wanted = imageNames(options.images);
  const directory = directoryOf(options);
  const binaries = options.binaries ?? (await ensureBinaries({ log: note })).directory;
  const dnsProgram = options.dns ? (await ensureDnsProgram({ log: note })).file : undefined;
  const pauseImage = options.pause ?? (await ensureImages({ log: note, only: ["pause"] })).pause.archive;
  const interrupted = () => {
    note("interrupted: taking the cluster down");
    downCluster(directory, () => {}).finally(() => process.exit(130));
  };
  process.once("SIGINT", interrupted);
  process.once("SIGTERM", interrupted);
  const cluster = await startPersistentCluster({
    name: options.name,
    directory,
    binaries,
    pauseImage,
    ...(dnsProgram === undefined ? {} : { dnsProgram }),
    ...(options.featureGates === undefined ? {} : { featureGates: options.featureGates }),
    nodes,
    log: note,
  });
  await provideStorage(cluster, volumeNode(nodes));
  for (const name of wanted) await loadNamed(cluster, name);
  process.off("SIGINT", interrupted);
  process.off("SIGTERM", interrupted);
  cluster.detach();
  if (options.json) {
    print(JSON.stringify(clusterStatus(directory), null, 2));
    return;
  }
  const flags = `${options.name === "dev" ? "" : ` --name ${options.name}`}${options.directory === undefined ? "" : ` --directory ${options.directory}`}`;
  print(`The cluster "${options.name}" is up. Logs: ${join(directory, "logs")}`);
  print(`  confcom-dev cluster kubectl${flags} -- get nodes`);
  print(`  confcom-dev cluster shell${flags}                  # confcom addon, kubectl, helm`);
  print(`  confcom-dev cluster down${flags}`);
}

/** Where volumes are: a node without SGX, should there be one. */
function volumeNode(nodes: readonly NodeOptions[]): string {
  return (nodes.find(({ sgx }) => sgx === undefined) ?? nodes[0])?.name ?? "";
}

function imageNames(text: string | undefined): readonly ImageName[] {
  if (text === undefined) return [];
  if (text === "all") return IMAGE_NAMES;
  return text.split(",").map((name) => {
    const known = IMAGE_NAMES.find((image) => image === name.trim());
    if (known === undefined) throw new ClusterError("BAD_NAME", `there is no image ${name}: ${IMAGE_NAMES.join(", ")}`);
    return known;
  });
}

async function loadNamed(cluster: AttachedCluster, name: ImageName): Promise<void> {
  const image = (await ensureImages({ log: note, only: [name] }))[name];
  await cluster.loadImage(image.archive);
  note(`${image.name} is on every node`);
}

async function loadImage(archives: readonly string[], options: Where & { readonly nodes?: string }): Promise<void> {
  await withCluster(options, async (cluster) => {
    const nodes = options.nodes?.split(",").map((node) => cluster.node(node.trim()).name);
    for (const archive of archives) {
      const known = IMAGE_NAMES.find((name) => name === archive);
      if (known !== undefined) await loadNamed(cluster, known);
      else {
        await cluster.loadImage(resolve(archive), nodes);
        note(`${archive}: loaded on ${(nodes ?? cluster.nodes().map((node) => node.name)).join(", ")}`);
      }
    }
  });
}

async function withCluster<T>(where: Where, work: (cluster: AttachedCluster) => Promise<T>): Promise<T> {
  const cluster = await attachCluster(directoryOf(where), note);
  try {
    return await work(cluster);
  } finally {
    cluster.detach();
  }
}

/** Gives the terminal to a program and repeats its exit status. */
async function hand(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const [program = "", ...rest] = argv;
  const child = spawn(program, rest, { stdio: "inherit", env });
  // The terminal sends an interrupt to both; the program decides what it means.
  process.on("SIGINT", () => {});
  process.exitCode = await new Promise<number>((done, failed) => {
    child.once("error", failed);
    child.once("exit", (code, signal) => done(code ?? (signal === null ? 1 : 128)));
  });
}

async function shell(node: string | undefined, words: readonly string[], where: Where): Promise<void> {
  await withCluster(where, async (cluster) => {
    const argv = words[0] === "--" ? words.slice(1) : words;
    const command = argv.length > 0 ? argv : [process.env.SHELL ?? "/bin/sh"];
    if (node === undefined || node === CONTROL_PLANE) {
      const env = { ...process.env, ...cluster.environment(), PS1: `(${cluster.name}) \\w # ` };
      await hand(enterNetwork(cluster.init(CONTROL_PLANE), command), env);
    } else {
      cluster.node(node);
      const env = {
        PATH: `/opt/kubernetes/bin:${process.env.PATH ?? ""}`,
        HOME: "/root",
        TERM: process.env.TERM ?? "dumb",
        PS1: `(${node}) \\w # `,
        CONTAINERD_NAMESPACE: "k8s.io",
        KUBECONFIG: "/etc/kubernetes/kubelet.conf",
      };
      await hand(enterMachine(cluster.init(node), command), env);
    }
  });
}

const program = new Command("confcom-dev").description("A real Kubernetes cluster on this machine, in namespaces.");
program.enablePositionalOptions();
const commands = program.command("cluster").description("start, use and end a cluster").enablePositionalOptions();

withWhere(commands.command("up").description("start a cluster that runs until `down`"))
  .option("--nodes <nodes>", "NAME, NAME:EPC_MIB or NAME:EPC_MIBx2, separated by commas", "sgx-1:512,plain-1")
  .option("--binaries <directory>", "Kubernetes' programs (default: built once, kept in the cache)")
  .option("--pause <archive>", "image archive of localhost/pause:1 (default: built once)")
  .option("--images <names>", `images to build and load: all, or some of ${IMAGE_NAMES.join(",")}`)
  .option("--no-dns", "without a DNS server: names of Services do not resolve, kubelets say MissingClusterDNS")
  .option("--feature-gates <gates>", "NAME=true,... for the API server, controllers, scheduler and kubelets")
  .option("--json", "print what is running as JSON")
  .action(up);

withWhere(commands.command("down").description("end the cluster and remove everything but its logs")).action(
  async (options: Where) => {
    const directory = directoryOf(options);
    const there = await downCluster(directory, note);
    note(there ? `down; logs are in ${join(directory, "logs")}` : `no cluster is running in ${directory}`);
  },
);

withWhere(commands.command("status").description("what is running"))
  .option("--json", "as JSON")
  .action((options: Where & { json?: boolean }) => {
    const status = clusterStatus(directoryOf(options));
    print(options.json ? JSON.stringify(status, null, 2) : statusLines(status).join("\n"));
    if (!status.running) process.exitCode = 1;
  });

withWhere(commands.command("load-image").description("put images on the nodes"))
  .argument("<archives...>", `OCI or docker archives, or names of images to build: ${IMAGE_NAMES.join(", ")}`)
  .option("--nodes <names>", "only these, separated by commas")
  .action(loadImage);

withWhere(commands.command("add-node").description("start one more worker"))
  .argument("<node>", "NAME, NAME:EPC_MIB or NAME:EPC_MIBx2")
  .action(async (node: string, options: Where) => {
    await withCluster(options, (cluster) => cluster.addNode(parseNode(node)));
  });

withWhere(commands.command("shell").description("a shell in the cluster's network with kubectl, or on a node"))
  .argument("[node]", `a node's name, or ${CONTROL_PLANE}: this machine's files in the cluster's network (default)`)
  .argument("[command...]", "instead of a shell")
  .passThroughOptions()
  .action(shell);

withWhere(commands.command("kubectl").description("kubectl as the cluster's administrator"))
  .argument("[arguments...]")
  .passThroughOptions()
  .allowUnknownOption()
  .action((argv: readonly string[], options: Where) => shell(undefined, ["kubectl", ...argv], options));

try {
  await program.parseAsync(process.argv);
} catch (error) {
  note(`confcom-dev: ${messageOf(error)}`);
  process.exitCode = error instanceof ClusterError ? EXIT_STATUS[error.code] : 70;
}
