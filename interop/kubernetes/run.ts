/**
 * A real Kubernetes cluster on this machine, confcom's daemons installed on it from their manifests, and what they must do on
 * good and on bad days; then a second, empty one for the add-on, its webhook, its policies and its PCCS. One line per check
 * as it is known, and as the last line `N passed, N failed`; exit code 0 only if none failed.
 *
 * usage: npm run cluster [-- --part daemons|addon] [-- --only PATTERN] [-- --repeat N] [-- --list] [-- --keep] [-- --json FILE]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { packageVersion } from "../../deploy/image/confcom-image.ts";
import { type Check, type CheckResult, expect, runChecks } from "../check.ts";
import { ensureBinaries } from "./binaries/cluster-binaries.ts";
import { ensureDnsProgram } from "./binaries/dns-program.ts";
import { addonChecks, checks as daemonChecks } from "./checks/index.ts";
import { compareSnapshots, residueLines, takeSnapshot } from "./cluster/residue.ts";
import { startCluster } from "./cluster/start-cluster.ts";
import { ensureImages, keptImages } from "./images/images.ts";
import { until } from "./observe/until.ts";
import { ClusterScene, DAEMONS_ALONE } from "./scene.ts";
import { EPC_MIB, PLAIN_NODE, SECOND_SGX_NODE, SGX_NODE } from "./scene-names.ts";
import type { SceneOptions } from "./scene-options.ts";

const { values: options } = parseArgs({
  options: {
    part: { type: "string" },
    only: { type: "string" },
    list: { type: "boolean", default: false },
    repeat: { type: "string", default: "1" },
    keep: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const only = options.only === undefined ? undefined : new RegExp(options.only);
if (options.part !== undefined && !["daemons", "addon"].includes(options.part)) {
  process.stderr.write(`there is no part ${options.part}: daemons, addon\n`);
  process.exit(64);
}
const wanted = (part: string, checks: readonly Check<ClusterScene>[]): Check<ClusterScene>[] => {
  if (options.part !== undefined && options.part !== part) return [];
  const chosen = checks.filter(({ name }) => only === undefined || only.test(name));
  return Array.from({ length: Number(options.repeat) }, () => chosen).flat();
};
if (options.list) {
  for (const { name } of [...wanted("daemons", daemonChecks), ...wanted("addon", addonChecks)])
    process.stdout.write(`${name}\n`);
  process.exit(0);
}

const began = performance.now();

const log = (line: string): void => {
  process.stderr.write(`# ${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}\n`);
};
const directory = mkdtempSync(join(tmpdir(), "confcom-cluster-"));
const before = takeSnapshot(directory);
const images = ensureImages({ log }).then((built) => keptImages(built, join(directory, "images")));
images.catch(() => undefined);

async function materials() {
  const [{ directory: binaries, programs }, dns, { pause, probe }] = await Promise.all([
    ensureBinaries({ log }),
    ensureDnsProgram({ log }),
    images,
  ]);
  const versions = Object.fromEntries(programs.map(({ name, version }) => [name, version]));
  return { binaries, versions, dnsProgram: dns.file, pause: pause.archive, probe: probe.archive };
}

const version = await packageVersion();

function sceneOf(part: string, own: Pick<SceneOptions, "nodes" | "baseValues" | "storageNode">): ClusterScene {
  return new ClusterScene({
    ...own,
    version,
    log,
    async startCluster(nodes) {
      const { binaries, dnsProgram, pause: pauseImage } = await materials();
      const name = `${part}-${process.pid}`;
      return startCluster({ name, directory: join(directory, part), binaries, dnsProgram, pauseImage, nodes, log });
    },
    materials,
    async imageArchives() {
      const { pause: _, ...others } = await images;
      return Object.values(others).map(({ archive }) => archive);
    },
  });
}

const sgx = { epcMiB: EPC_MIB };
const parts = [
  {
    checks: wanted("daemons", daemonChecks),
    scene: sceneOf("daemons", {
      nodes: [{ name: SGX_NODE, sgx }, { name: PLAIN_NODE }],
      baseValues: DAEMONS_ALONE,
    }),
  },
  {
    checks: wanted("addon", addonChecks),
    scene: sceneOf("addon", {
      nodes: [{ name: SGX_NODE, sgx }, { name: SECOND_SGX_NODE, sgx }, { name: PLAIN_NODE }],
      baseValues: {},
      storageNode: PLAIN_NODE,
    }),
  },
];
const close = () => Promise.all(parts.map(({ scene }) => scene.close()));

/** A second signal finds no handler and ends the process; the cluster then ends with it. */
let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    interrupted = true;
    void close().finally(() => process.exit(130));
  });
}

function report({ name, passed, seconds, detail }: CheckResult): void {
  if (interrupted) return;
  process.stdout.write(`${passed ? "ok" : "not ok"} - ${name} (${seconds.toFixed(1)} s): ${detail}\n`);
}

async function reportOf(scene: ClusterScene, result: CheckResult): Promise<void> {
  report(result);
  if (result.passed || interrupted) return;
  for (const line of await scene.diagnosis()) process.stdout.write(`#   ${line}\n`);
  await scene.clean();
}

/** After the clusters are down, compared with what was before them. */
const nothingLeft: Check<undefined> = {
  name: "the cluster is down: mounts, links, addresses, cgroups, sysctls, processes and paths as before the run",
  deadline: 120_000,
  async run() {
    await close();
    const { ms } = await until("nothing is left", 30_000, () => {
      // Somebody else's process that ended meanwhile is nothing that a cluster left.
      const differences = compareSnapshots(before, takeSnapshot(directory)).map((difference) =>
        difference.kind === "processes" ? { ...difference, removed: [] } : difference,
      );
      const left = residueLines(differences.filter(({ added, removed }) => added.length + removed.length > 0));
      expect(left.length === 0, left.slice(0, 12).join(" | "));
    });
    const looked = Object.entries(before).map(([kind, lines]) => `${lines.length} ${kind}`);
    return `${(ms / 1000).toFixed(1)} s after down; compared: ${looked.join(", ")}`;
  },
};

const clock = (): number => performance.now();
const results: CheckResult[] = [];
for (const { checks, scene } of parts) {
  results.push(...(await runChecks(checks, scene, clock, (result) => reportOf(scene, result))));
  const isLast = scene === parts.at(-1)?.scene;
  // One cluster at a time, unless somebody wants to look at it.
  if (!isLast && !options.keep) await scene.close();
}
if (options.keep) {
  log(`the cluster stays until this process ends (Ctrl-C); kubeconfig and logs in ${directory}`);
  await new Promise(() => setInterval(() => undefined, 60_000));
}
results.push(...(await runChecks([nothingLeft], undefined, clock, report)));
const failed = results.filter((result) => !result.passed).length;
const passed = results.length - failed;
if (options.json !== undefined) {
  const seconds = (performance.now() - began) / 1000;
  const figures = Object.assign({}, ...parts.map(({ scene }) => scene.figures));
  const text = JSON.stringify({ seconds, passed, failed, checks: results, figures }, undefined, 2);
  writeFileSync(options.json, `${text}\n`);
}
rmSync(join(directory, "images"), { recursive: true, force: true });
if (failed === 0) rmSync(directory, { recursive: true, force: true });
else process.stdout.write(`# logs of the cluster's programs: ${directory}/*/logs\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
