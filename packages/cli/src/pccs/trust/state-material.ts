import { existsSync } from "node:fs";
import { join } from "node:path";
import { KubernetesError, type TrustMaterial } from "@confcom/kubernetes/pccs-trust";
import { readSmallFile } from "../../in-cluster/small-file.ts";
import { openState } from "../../quote-helper/state.ts";
import { preparedFiles } from "../prepare/prepared-files.ts";
import { ensureTlsFiles, type TlsFiles } from "../prepare/tls-files.ts";
import { INTEL_SGX_ROOT_CERTIFICATE } from "./intel-root.ts";

export interface StateMaterialOptions {
  readonly stateDirectory: string;
  /** `software`: the root is the authority's in the state directory; otherwise Intel's or `upstreamRoot`. */
  readonly upstream: string;
  /** PEM file: the root of an upstream that is not Intel's. */
  readonly upstreamRoot: string | undefined;
  readonly now: () => Date;
  readonly warn: (text: string) => void;
  readonly renewed: (files: TlsFiles) => void;
}

/** How often the server certificate is looked at, ms: it is renewed a month before its end. */
const RENEWAL_LOOK = 3_600_000;

/** `SOFTWARE_AUTHORITY_DIRECTORY` and `SOFTWARE_ROOT_FILE`, without loading the package that writes them. */
const SOFTWARE_ROOT = join("software-authority", "root-ca.pem");

/**
 * Reads what a prepared state directory has to publish, and renews the server certificate in time. Each call rejects with
 * KubernetesError `PCCS_ROOT_AWAITED` while the service has not made its root, `PCCS_STATE_UNUSABLE` for anything else.
 */
export function stateMaterial(options: StateMaterialOptions): () => Promise<TrustMaterial> {
  const files = preparedFiles(options.stateDirectory);
  let tls: { readonly files: TlsFiles; readonly at: number } | undefined;
  const tlsFiles = async (): Promise<TlsFiles> => {
    const now = options.now();
    const age = tls === undefined ? Number.POSITIVE_INFINITY : Math.abs(now.getTime() - tls.at);
    if (tls !== undefined && age < RENEWAL_LOOK) return tls.files;
    // Opening makes what is missing: a directory that nobody prepared is to stay as it is.
    if (!existsSync(files.server)) throw new Error(`${files.server} is not there`);
    const state = openState(files.tls, options.warn);
    const found = await ensureTlsFiles({ state, names: undefined, now, warn: options.warn });
    if (found.made.server) options.renewed(found);
    tls = { files: found, at: now.getTime() };
    return found;
  };
  return async () => {
    try {
      const { authority, server, names } = await tlsFiles();
      const userToken = (await readSmallFile(files.userToken)).trim();
      const rootCertificate = await rootOf(options);
      return {
        rootCertificate,
        pccsCa: authority.toString(),
        userToken,
        server: { names: [...names.dnsNames, ...names.ipAddresses], notAfter: server.validToDate },
      };
    } catch (error) {
      if (error instanceof KubernetesError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new KubernetesError("PCCS_STATE_UNUSABLE", message, { cause: error });
    }
  };
}

async function rootOf({ stateDirectory, upstream, upstreamRoot }: StateMaterialOptions): Promise<string> {
  if (upstreamRoot !== undefined) return readSmallFile(upstreamRoot);
  if (upstream !== "software") return INTEL_SGX_ROOT_CERTIFICATE;
  const path = join(stateDirectory, SOFTWARE_ROOT);
  try {
    return await readSmallFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new KubernetesError("PCCS_ROOT_AWAITED", `${path} is not there yet`, { cause });
  }
}
