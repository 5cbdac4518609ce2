import type { Agent } from "node:http";
import type { RequestOptions } from "node:https";
import { ApiError } from "../../api/api-error.ts";
import { boundedRequest } from "../../api/bounded-request.ts";
import { KubernetesError, messageOf } from "../../errors.ts";
import type { ApiConnection, HttpAnswer } from "./http-cluster-access.ts";

export interface KubeconfigChoice {
  /** Path of a kubeconfig; without it KUBECONFIG, ~/.kube/config, or inside of a pod its service account. */
  readonly kubeconfig?: string | undefined;
  /** A context of it; without it the current one. */
  readonly context?: string | undefined;
}

export interface KubeconfigConnection extends ApiConnection {
  /** What to call the cluster: the name of the context. */
  readonly clusterName: string;
  close(): void;
}

/** A page of pods. */
const ANSWER_LIMIT = 64 << 20;

const TIMEOUT = 60_000;

/**
 * The cluster of a kubeconfig, with whatever it authenticates by: certificates, tokens, or a program such as kubelogin
 * that is asked for one. Throws KubernetesError `KUBECONFIG_UNUSABLE`.
 */
export async function connectByKubeconfig(choice: KubeconfigChoice): Promise<KubeconfigConnection> {
  // A second of loading, which no other command is to wait for.
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  const where = choice.kubeconfig ?? "the default kubeconfig";
  try {
    if (choice.kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(choice.kubeconfig);
  } catch (cause) {
    throw unusable(`${where} cannot be read: ${messageOf(cause)}`, cause);
  }
  if (choice.context !== undefined) {
    if (config.getContextObject(choice.context) === null) {
      const known = config.getContexts().map(({ name }) => name);
      throw unusable(`${where} has no context ${choice.context}; it has ${known.join(", ") || "none"}`);
    }
    config.setCurrentContext(choice.context);
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw unusable(`${where} has no current context`);
  const server = serverUrl(cluster.server, where);
  const agents = new Set<Agent>();

  const call: ApiConnection["call"] = async (method, path, content, bounds = {}): Promise<HttpAnswer> => {
    const options: RequestOptions = { headers: {} };
    await config.applyToHTTPSOptions(options).catch((cause: unknown) => {
      throw unusable(`the credentials of ${where} cannot be used: ${messageOf(cause)}`, cause);
    });
    const agent = options.agent as Agent | undefined;
    if (agent !== undefined) agents.add(agent);
    const answer = await boundedRequest({
      url: new URL(server.pathname.replace(/\/$/, "") + path, server),
      method,
      timeoutMs: bounds.timeoutMs ?? TIMEOUT,
      sizeLimit: bounds.sizeLimit ?? ANSWER_LIMIT,
      ...(bounds.signal === undefined ? {} : { signal: bounds.signal }),
      ...(agent === undefined ? {} : { agent }),
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

  return {
    clusterName: config.getCurrentContext(),
    call,
    close() {
      for (const agent of agents) agent.destroy();
    },
  };
}

function serverUrl(text: string, where: string): URL {
  if (!URL.canParse(text)) throw unusable(`${where} names the server "${text}", which is no URL`);
  return new URL(text);
}

function decoded(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

function unusable(message: string, cause?: unknown): KubernetesError {
  return new KubernetesError("KUBECONFIG_UNUSABLE", message, cause === undefined ? {} : { cause });
}
