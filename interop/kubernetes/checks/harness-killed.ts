import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Check, expect } from "../../check.ts";
import { livingClusters } from "../cluster/living-clusters.ts";
import { compareSnapshots, residueLines, takeSnapshot } from "../cluster/residue.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";

const HARNESS = fileURLToPath(new URL("../workload/doomed-harness.ts", import.meta.url));

export const harnessKilled: readonly Check<ClusterScene>[] = [
  {
    name: "the harness of another cluster is killed with SIGKILL: nothing of that cluster stays on the machine",
    deadline: 180_000,
    async run(scene) {
      await scene.up();
      const directory = await mkdtemp(join(tmpdir(), "confcom-doomed-"));
      const { binaries, pause, probe } = await scene.materials();
      const before = takeSnapshot(directory);
      const argv = [HARNESS, `doomed-${process.pid}`, directory, binaries, pause, probe];
      const harness = spawn(process.execPath, argv, { stdio: ["ignore", "pipe", "pipe"] });
      let said = "";
      for (const stream of [harness.stdout, harness.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          said += text;
        });
      }
      try {
        await until("the other cluster is up and runs a pod", 90_000, () => {
          expect(harness.exitCode === null, `its harness ended: ${said}`);
          expect(said.includes("ready"), "not yet");
        });
        const during = compareSnapshots(before, takeSnapshot(directory));
        const kinds = during.map(({ kind }) => kind).join(", ");
        expect(
          /processes/.test(kinds) && /cgroups/.test(kinds),
          `a running cluster shows only in: ${kinds || "nothing"}`,
        );
        harness.kill("SIGKILL");
        const { ms } = await until("nothing of it is left", 45_000, () => {
          const left = residueLines(compareSnapshots(before, takeSnapshot(directory)));
          expect(left.length === 0, left.slice(0, 12).join(" | "));
          expect(!livingClusters().some((cluster) => cluster.directory === directory), "its supervisor lives");
        });
        scene.figures["harness killed"] = { goneMs: ms };
        return `while it ran it showed in ${kinds}; ${(ms / 1000).toFixed(1)} s after SIGKILL mounts, links, cgroups, sysctls, processes and paths are as before`;
      } finally {
        harness.kill("SIGKILL");
        await rm(directory, { recursive: true, force: true });
      }
    },
  },
];
