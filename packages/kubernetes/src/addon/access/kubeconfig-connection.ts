import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import type { Cluster, KubeConfig } from "@kubernetes/client-node";
import { ApiError } from "../../api/api-error.ts";
import { boundedRequest } from "../../api/bounded-request.ts";
import { messageOf } from "../../errors.ts";
import { CredentialProgram, type ExecSettings } from "./credential-program.ts";
import type { ApiConnection, HttpAnswer } from "./http-cluster-access.ts";
import { KeptConnections, type TlsCredentials } from "./kept-connections.ts";
import { type Environment, loadKubeconfig, unusable } from "./kubeconfig-files.ts";

export interface KubeconfigChoice {
  /** Path of a kubeconfig; without it KUBECONFIG, ~/.kube/config, or inside of a pod its service account. */
  readonly kubeconfig?: string | undefined;
  /** A context of it; without it the current one. */
  readonly context?: string | undefined;
  /** Also of programs that give credentials. */
  readonly environment: Environment;
  /** Whether such a program may ask a person on standard input. */
  readonly terminal: boolean;
  /** Milliseconds since 1970: credentials expire. */
  readonly now: () => number;
  /** Milliseconds for such a program, logging in included. */
  readonly programPatience?: number;
}

export interface KubeconfigConnection extends ApiConnection {
  /** What to call the cluster: the name of the context. */
  readonly clusterName: string;
  close(): void;
}

/** A page of pods. */
const ANSWER_LIMIT = 64 << 20;

const TIMEOUT = 60_000;

const PROGRAM_PATIENCE = 120_000;

/**
 * The cluster of a kubeconfig, with whatever it authenticates by: certificates, tokens, or a program such as kubelogin
 * that is asked for one. Throws KubernetesError `KUBECONFIG_UNUSABLE`.
 */
export async function connectByKubeconfig(choice: KubeconfigChoice): Promise<KubeconfigConnection> {
  // A second of loading, which no other command is to wait for.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const where = await loadKubeconfig(config, choice.kubeconfig, choice.environment);
  const cluster = chosenCluster(config, choice.context, where);
  const server = serverUrl(cluster.server, where);
  const program = takeProgram(config, cluster, choice);
  const connections = new KeptConnections(server.protocol === "https:");

  const credentials = async (): Promise<RequestOptions> => {
    const options: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(options);
    } catch (cause) {
      throw unusable(`the credentials of ${where} cannot be used: ${messageOf(cause)}`, cause);
    }
    const given = await program?.credential();
    if (given?.token !== undefined) options.headers = { ...options.headers, Authorization: `Bearer ${given.token}` };
    return { ...options, cert: given?.clientCertificateData ?? options.cert, key: given?.clientKeyData ?? options.key };
  };
  const agentOf = ({ ca, cert, key, rejectUnauthorized, servername, agent }: RequestOptions): Agent => {
    // Only the kubeconfig's library knows how to reach a proxy.
    if (cluster.proxyUrl !== undefined) return agent as Agent;
    const tls: TlsCredentials = { ca, cert, key, servername };
    return connections.agent(rejectUnauthorized === undefined ? tls : { ...tls, rejectUnauthorized });
  };

  const call: ApiConnection["call"] = async (method, path, content, bounds = {}): Promise<HttpAnswer> => {
    const options = await credentials();
    const answer = await boundedRequest({
      url: new URL(server.origin + server.pathname.replace(/\/$/, "") + path),
      method,
      timeoutMs: bounds.timeoutMs ?? TIMEOUT,
      sizeLimit: bounds.sizeLimit ?? ANSWER_LIMIT,
      ...(bounds.signal === undefined ? {} : { signal: bounds.signal }),
      agent: agentOf(options),
      headers: {
        accept: "application/json",
        ...(options.auth == null ? {} : { authorization: `Basic ${Buffer.from(options.auth).toString("base64")}` }),
        ...(options.headers as Record<string, string>),
        ...(content === undefined ? {} : { "content-type": content.type }),
      },
      ...(content === undefined ? {} : { body: JSON.stringify(content.body) }),
    }).catch((cause: unknown) => {
      const message = `${method} ${path.split("?")[0]} at ${server.host}: ${messageOf(cause)}`;
      throw new ApiError("API_SERVER_UNREACHABLE", message, { cause });
    });
    return { status: answer.status, body: decoded(answer.body), retryAfter: answer.headers["retry-after"] };
  };

  return { clusterName: config.getCurrentContext(), call, close: () => connections.close() };
}

function chosenCluster(config: KubeConfig, context: string | undefined, where: string): Cluster {
  const known = config.getContexts().map(({ name }) => name);
  if (context !== undefined) config.setCurrentContext(context);
  const current = config.getCurrentContext();
  if (typeof current !== "string" || current === "") {
    throw unusable(`${where} has no current context; it has ${known.join(", ") || "none"}: choose one with --context`);
  }
  if (!known.includes(current)) {
    throw unusable(`${where} has no context ${current}; it has ${known.join(", ") || "none"}`);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw unusable(`${where} has no cluster for its context ${current}`);
  return cluster;
}

/** Runs the program of the chosen user here, with a deadline, in place of the library, which has none. */
function takeProgram(config: KubeConfig, cluster: Cluster, choice: KubeconfigChoice): CredentialProgram | undefined {
  const chosen = config.getCurrentUser();
  const settings: unknown = chosen?.exec;
  if (typeof settings !== "object" || settings === null) return undefined;
  config.users = config.users.map((user) => (user === chosen ? { ...user, exec: undefined } : user));
  const { environment, terminal, now, programPatience: patience = PROGRAM_PATIENCE } = choice;
  return new CredentialProgram(settings as ExecSettings, cluster, { environment, terminal, patience, now });
}

function serverUrl(text: string, where: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw unusable(`${where} names the server "${text}", which is no URL of https`);
}

function decoded(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}
