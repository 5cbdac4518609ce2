import { spawn } from "node:child_process";
import type { Cluster } from "@kubernetes/client-node";
import { type Environment, unusable } from "./kubeconfig-files.ts";

/** `users[].user.exec` of a kubeconfig. */
export interface ExecSettings {
  readonly apiVersion?: string;
  readonly command?: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
  readonly provideClusterInfo?: boolean;
}

/** What such a program prints, `status` of an ExecCredential. */
export interface ProgramCredential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

export interface ProgramOptions {
  readonly environment: Environment;
  /** Whether a person can be asked on standard input. */
  readonly terminal: boolean;
  /** Milliseconds until it is given up. */
  readonly patience: number;
  readonly now: () => number;
}

/** A certificate chain and a token are some 10 kB. */
const ANSWER_LIMIT = 1 << 20;

/**
 * A program that gives credentials (kubelogin, aws, gke-gcloud-auth-plugin), asked again when they have expired. What it
 * says on standard error goes to the person, who may have to log in.
 */
export class CredentialProgram {
  readonly #settings: ExecSettings;
  readonly #cluster: Cluster;
  readonly #options: ProgramOptions;
  #asked: Promise<ProgramCredential> | undefined;
  #expires = Number.POSITIVE_INFINITY;

  constructor(settings: ExecSettings, cluster: Cluster, options: ProgramOptions) {
    this.#settings = settings;
    this.#cluster = cluster;
    this.#options = options;
  }

  /** Throws KubernetesError `KUBECONFIG_UNUSABLE`. */
  credential(): Promise<ProgramCredential> {
    if (this.#options.now() >= this.#expires) this.#asked = undefined;
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  async #ask(): Promise<ProgramCredential> {
    const { command } = this.#settings;
    if (typeof command !== "string" || command === "")
      throw unusable("the kubeconfig's user has an exec without command");
    this.#expires = Number.POSITIVE_INFINITY;
    const credential = credentialIn(await this.#output(command), command);
    const expires = Date.parse(credential.expirationTimestamp ?? "");
    if (!Number.isNaN(expires)) this.#expires = expires;
    return credential;
  }

  #output(command: string): Promise<string> {
    const { args, env, interactiveMode } = this.#settings;
    const { environment, terminal, patience } = this.#options;
    const interactive = terminal && interactiveMode !== "Never";
    const own = Object.fromEntries((env ?? []).map(({ name, value }) => [name, value]));
    const info = JSON.stringify(this.#execInfo(interactive));
    return new Promise((resolve, reject) => {
      const child = spawn(command, [...(args ?? [])], {
        env: { ...environment, ...own, KUBERNETES_EXEC_INFO: info },
        stdio: [interactive ? "inherit" : "ignore", "pipe", "inherit"],
      });
      let text = "";
      const giveUp = (why: string, cause?: unknown) => {
        clearTimeout(timer);
        child.kill("SIGKILL");
        // What it started may hold the pipe still.
        child.stdout.destroy();
        reject(unusable(`the program ${command}, which the kubeconfig asks for credentials, ${why}`, cause));
      };
      const timer = setTimeout(() => giveUp(`gave none within ${patience / 1000} s`), patience);
      child.on("error", (cause) => giveUp("cannot be run", cause));
      child.stdout.setEncoding("utf8").on("data", (more: string) => {
        text += more;
        if (text.length > ANSWER_LIMIT) giveUp(`printed more than ${ANSWER_LIMIT} bytes`);
      });
      child.on("close", (status, signal) => {
        clearTimeout(timer);
        if (status === 0) resolve(text);
        else giveUp(`ended with ${signal ?? `exit status ${status}`}`);
      });
    });
  }

  #execInfo(interactive: boolean): object {
    const { apiVersion, provideClusterInfo } = this.#settings;
    const { server, caData, tlsServerName, skipTLSVerify, proxyUrl } = this.#cluster;
    const cluster = {
      server,
      "certificate-authority-data": caData,
      "tls-server-name": tlsServerName,
      "insecure-skip-tls-verify": skipTLSVerify,
      "proxy-url": proxyUrl,
    };
    return { apiVersion, kind: "ExecCredential", spec: { interactive, ...(provideClusterInfo ? { cluster } : {}) } };
  }
}

function credentialIn(text: string, command: string): ProgramCredential {
  const status = parsed(text)?.status;
  const { token, clientCertificateData: cert, clientKeyData: key } = (status ?? {}) as ProgramCredential;
  // An HTTP header takes no control characters, and an error about one would show the token.
  const hasToken = typeof token === "string" && /^[\x21-\x7e]+$/.test(token);
  if (hasToken || (typeof cert === "string" && typeof key === "string")) return status as ProgramCredential;
  throw unusable(`the program ${command}, which the kubeconfig asks for credentials, printed none`);
}

function parsed(text: string): { readonly status?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
