import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Check, expect, expectEqual } from "../../check.ts";
import { lastWords, run } from "../../program.ts";
import { livingClusters } from "../cluster/living-clusters.ts";
import { compareSnapshots, residueLines, takeSnapshot } from "../cluster/residue.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";

const CONFCOM_DEV = fileURLToPath(new URL("../confcom-dev.mjs", import.meta.url));

export const devCluster: readonly Check<ClusterScene>[] = [
  {
    name: "confcom-dev as people use it: up, kubectl, shell, load-image, status; its supervisor killed; down",
    deadline: 240_000,
    async run(scene) {
      const { binaries, pause, probe } = await scene.materials();
      const directory = await mkdtemp(join(tmpdir(), "confcom-dev-"));
      const where = ["--directory", directory, "--name", `dev-${process.pid}`];
      const confcomDev = async (command: string, ...args: string[]): Promise<string> => {
        const result = await run(process.execPath, [CONFCOM_DEV, "cluster", command, ...where, ...args]);
        expect(result.status === 0, `${command}: exit ${result.status}: ${lastWords(result)}`);
        return result.stdout.toString("utf8");
      };
      const before = takeSnapshot(directory);
      try {
        const started = performance.now();
        await confcomDev("up", "--nodes", "solo:64", "--binaries", binaries, "--pause", pause);
        const upMs = Math.round(performance.now() - started);
        const nodes = await confcomDev("kubectl", "--", "get", "nodes", "--no-headers");
        expect(/^solo\s+Ready\s.*v1\.34\./.test(nodes), nodes.trim());
        await confcomDev("load-image", probe);
        const images = await confcomDev("shell", "solo", "--", "ctr", "images", "ls", "-q");
        expect(images.includes("localhost/confcom-probe:1"), `images on the node: ${images.trim()}`);
        const devices = await confcomDev("shell", "solo", "--", "stat", "-c", "%F", "/dev/sgx_enclave");
        expectEqual(devices.trim(), "character special file", "/dev/sgx_enclave on the node");
        expect(!existsSync("/dev/sgx_enclave"), "the node's /dev is this machine's");
        const status = JSON.parse(await confcomDev("status", "--json")) as { running: boolean };
        expectEqual(status.running, true, "status");

        const supervisor = livingClusters().find((cluster) => cluster.directory === directory)?.supervisor;
        if (supervisor === undefined) throw new Error("no supervisor of the cluster was found");
        process.kill(supervisor, "SIGKILL");
        const { ms } = await until("nothing of it is left on the machine", 45_000, () => {
          const left = residueLines(compareSnapshots(before, takeSnapshot(directory)));
          expect(left.length === 0, left.slice(0, 12).join(" | "));
        });
        await confcomDev("down");
        const files = (await readdir(directory)).filter((name) => name !== "logs");
        expectEqual(files.join(), "", "files left beside the logs");
        return `up in ${(upMs / 1000).toFixed(1)} s with one node; clean ${(ms / 1000).toFixed(1)} s after its supervisor was killed; down removes its files`;
      } finally {
        await run(process.execPath, [CONFCOM_DEV, "cluster", "down", ...where]);
        await rm(directory, { recursive: true, force: true });
      }
    },
  },
];
