import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const CGROUP_MOUNT = "/sys/fs/cgroup";

/**
 * Where trees of cgroups begin: each hierarchy of cgroup v1 (every directory below the mount; `cpu,cpuacct` has links), or the
 * mount itself with cgroup v2 alone.
 */
export function cgroupHierarchies(): readonly string[] {
  if (existsSync(join(CGROUP_MOUNT, "cgroup.controllers"))) return [CGROUP_MOUNT];
  if (!existsSync(CGROUP_MOUNT)) return [];
  return readdirSync(CGROUP_MOUNT, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(CGROUP_MOUNT, entry.name));
}

/** Creates `tree` in every hierarchy. A cpuset without processors and memory nodes takes no process, so both are copied. */
export function createCgroupTree(tree: string): void {
  for (const hierarchy of cgroupHierarchies()) {
    if (hierarchy.endsWith("/unified")) continue;
    let path = hierarchy;
    for (const part of tree.split("/").filter((name) => name !== "")) {
      const parent = path;
      path = join(path, part);
      mkdirSync(path, { recursive: true });
      if (!hierarchy.endsWith("/cpuset")) continue;
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        writeFileSync(join(path, file), readFileSync(join(parent, file)));
      }
    }
  }
}

/** Removes `tree` from every hierarchy, leaves first. A dying process holds its cgroup for a moment, hence the patience. Gives what stays. */
export async function removeCgroupTree(tree: string, patienceMs = 10_000): Promise<readonly string[]> {
  const begun = performance.now();
  for (;;) {
    const left = cgroupHierarchies().flatMap((hierarchy) => removeDirectories(join(hierarchy, tree)));
    if (left.length === 0 || performance.now() - begun > patienceMs) return left;
    await sleep(50);
  }
}

function removeDirectories(path: string): string[] {
  let children: string[];
  try {
    children = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
  const left = children.flatMap((child) => removeDirectories(join(path, child)));
  try {
    rmdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") left.push(path);
  }
  return left;
}
