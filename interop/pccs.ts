import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestTls } from "@confcom/collateral/testing";
import { type CertifyingService, confcom, Daemon, type Places, startCommand } from "./confcom.ts";

export interface PccsOptions {
  /** `software`, or the URL of a provisioning service whose root certificate is `upstreamRoot`. */
  readonly upstream?: string;
  /** PEM. */
  readonly upstreamRoot?: string;
  /** Serves HTTPS with it; otherwise plain HTTP. */
  readonly tls?: TestTls;
  /** Of a service that was stopped: it goes on with its state, tokens and address. */
  readonly again?: Pccs;
}

interface Files {
  readonly state: string;
  readonly userTokens: string;
  readonly adminTokens: string;
  readonly userToken: string;
  readonly adminToken: string;
}

/** A running `confcom pccs`. */
export class Pccs extends Daemon {
  readonly files: Files;
  readonly url: string;
  /** PEM of the root of what it serves. */
  readonly root: string;
  readonly tls: TestTls | undefined;

  constructor(process: ChildProcess, files: Files, ready: { url: string; root: string }, tls: TestTls | undefined) {
    super("PCCS", process);
    this.files = files;
    this.url = ready.url;
    this.root = ready.root;
    this.tls = tls;
  }

  /** What a verifier's source is configured with. */
  get base(): string {
    return `${this.url}/sgx/certification/v4/`;
  }

  get adminToken(): string {
    return readFileSync(this.files.adminToken, "utf8");
  }

  /** As a helper that registers here is told of it. */
  certifying(places: Places): CertifyingService {
    const { url, root, tls } = this;
    const ca = tls === undefined ? {} : { tlsCa: places.file("tls-ca.pem", tls.ca) };
    return { url, root: places.file("root.pem", root), userToken: this.files.userToken, ...ca };
  }
}

/** Starts a service on loopback with a user and an admin token, and waits until it serves. */
export async function startPccs(places: Places, options: PccsOptions): Promise<Pccs> {
  const { upstream = "software", upstreamRoot, again, tls = again?.tls } = options;
  const files = again?.files ?? (await newFiles(places));
  const address = again === undefined ? "127.0.0.1:0" : new URL(again.url).host;
  const args = ["pccs", "--json", "--listen", address, "--state", files.state, "--upstream", upstream];
  args.push("--user-token-file", files.userTokens, "--admin-token-file", files.adminTokens);
  if (upstreamRoot !== undefined) args.push("--upstream-root", places.file("upstream-root.pem", upstreamRoot));
  if (tls === undefined) args.push("--http");
  else args.push("--tls-cert", places.file("tls.pem", tls.certificate), "--tls-key", places.file("key.pem", tls.key));
  const child = startCommand(args);
  const line = await new Daemon("PCCS", child).ready();
  const ready = JSON.parse(line) as { url: string; rootCertificate?: string };
  const root = ready.rootCertificate ?? upstreamRoot;
  if (root === undefined) throw new Error("the PCCS names no root certificate");
  return new Pccs(child, files, { url: ready.url, root }, tls);
}

async function newFiles(places: Places): Promise<Files> {
  const { state } = places.fresh();
  const path = (name: string) => join(state, "..", name);
  const token = async (hashes: string) => {
    const made = JSON.parse((await confcom(["pccs", "token", "--json", "--file", hashes])).toString("utf8"));
    return places.file("token", (made as { token: string }).token);
  };
  const [userTokens, adminTokens] = [path("user-tokens"), path("admin-tokens")];
  return { state, userTokens, adminTokens, userToken: await token(userTokens), adminToken: await token(adminTokens) };
}
