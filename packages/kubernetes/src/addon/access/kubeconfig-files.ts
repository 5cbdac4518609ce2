import { closeSync, constants, existsSync, openSync, readSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KubeConfig } from "@kubernetes/client-node";
import { KubernetesError, messageOf } from "../../errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** One with dozens of clusters is some 200 kB. */
const SIZE_LIMIT = 4 << 20;

/** For one that comes through a pipe, ms. */
const PATIENCE = 10_000;

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Reads the kubeconfig at `path`, else those that KUBECONFIG names, ~/.kube/config, or inside of a pod its service account.
 * Resolves with what to call it in messages. Throws KubernetesError `KUBECONFIG_UNUSABLE`.
 */
export async function loadKubeconfig(
  into: KubeConfig,
  path: string | undefined,
  environment: Environment,
): Promise<string> {
  const paths = path === undefined ? usualPaths(environment) : [path];
  if (paths.length > 0) {
    const [first, ...others] = paths as [string, ...string[]];
    await loadFile(into, first);
    for (const other of others) {
      const more = new (into.constructor as new () => KubeConfig)();
      await loadFile(more, other);
      await usable(other, () => into.mergeConfig(more, into.currentContext !== undefined));
    }
    return paths.join(delimiter);
  }
  if (!existsSync(SERVICE_ACCOUNT_TOKEN)) {
    throw unusable("there is no kubeconfig: none is named by --kubeconfig or KUBECONFIG, and ~/.kube/config is absent");
  }
  into.loadFromCluster();
  return "the pod's service account";
}

export function unusable(message: string, cause?: unknown): KubernetesError {
  return new KubernetesError("KUBECONFIG_UNUSABLE", message, cause === undefined ? {} : { cause });
}

function usualPaths({ KUBECONFIG = "", HOME = "" }: Environment): readonly string[] {
  const named = KUBECONFIG.split(delimiter).filter((path) => path !== "");
  if (named.length > 0) return named;
  const usual = join(HOME, ".kube", "config");
  return HOME !== "" && existsSync(usual) ? [usual] : [];
}

async function loadFile(into: KubeConfig, path: string): Promise<void> {
  const text = await usable(path, () => readWhole(path));
  await usable(path, () => {
    try {
      into.loadFromString(text);
    } catch (error) {
      // Empty, a list, a number: the parser of kubeconfigs looks into whatever it is.
      throw error instanceof TypeError ? new Error("it is no kubeconfig") : error;
    }
    into.makePathsAbsolute(dirname(path));
  });
}

async function usable<T>(path: string, run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw unusable(`${path} cannot be read: ${messageOf(cause)}`, cause);
  }
}

/** A pipe, as `<(program)` makes it, is read as it comes; one that nobody writes to is not waited for. */
async function readWhole(path: string): Promise<string> {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (let waited = 0; ; ) {
      const chunk = new Uint8Array(65536);
      const read = readNow(file, chunk);
      if (read === 0) return new TextDecoder().decode(Buffer.concat(chunks));
      if (read === undefined) {
        if (waited >= PATIENCE) throw new Error(`nothing came for ${PATIENCE / 1000} s`);
        await sleep(20);
        waited += 20;
        continue;
      }
      size += read;
      if (size > SIZE_LIMIT) throw new Error(`it is larger than ${SIZE_LIMIT} bytes`);
      chunks.push(chunk.subarray(0, read));
    }
  } finally {
    closeSync(file);
  }
}

/** Undefined: nothing yet. */
function readNow(file: number, chunk: Uint8Array): number | undefined {
  try {
    return readSync(file, chunk);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EAGAIN") return undefined;
    throw error;
  }
}
