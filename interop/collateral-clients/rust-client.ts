import { rustPeers } from "../foreign-peers.ts";
import { lastWords, run } from "../program.ts";
import { pemToDer } from "../quote-parts.ts";
import type { PlatformNames } from "./certified.ts";

/** What a client that was written by others got, or why it got nothing. */
export interface ClientAnswer {
  readonly ok: boolean;
  readonly error?: string;
  readonly pckCertificate?: string;
  readonly fmspc?: string;
  /** DER, hexadecimal: of the Processor CA and of the Platform CA. */
  readonly pckCrls?: readonly string[];
  /** How many of them the client verified itself: it takes those of CAs with Intel's names only. */
  readonly pckCrlsVerified?: number;
  readonly rootCaCrl?: string;
  readonly tcbInfo?: string;
  readonly qeIdentity?: string;
  /** TCB evaluations of TCB info and identity, if the client verified them: it takes those of issuers with Intel's names only. */
  readonly evaluations?: readonly [number, number] | null;
  readonly tdxTcbInfo?: string;
  readonly status?: string;
  readonly advisoryIds?: readonly string[];
}

interface Common {
  readonly url: string;
  /** PEM. */
  readonly root: string;
  /** PEM: trusted for TLS, told to the process as `SSL_CERT_FILE`. */
  readonly tlsCaFile?: string;
}

/** Fortanix's PCCS client: everything that a platform and its verifiers need, each verified under the root. */
export function askPccsClient(
  question: Common & { version: 3 | 4; platform: PlatformNames; fmspc: string; tdxFmspc?: string; ownNames?: boolean },
): Promise<ClientAnswer> {
  return ask("pccs", question);
}

/** Fortanix's client for Azure: the PCK certificate. */
export function askAzureClient(question: Common & { platform: PlatformNames }): Promise<ClientAnswer> {
  return ask("azure", question);
}

/** The crate dcap-qvl: collateral of a quote, and the verdict with it. */
export function askQvlClient(question: Common & { quote: Uint8Array; now: Date }): Promise<ClientAnswer> {
  const quote = Buffer.from(question.quote).toString("hex");
  return ask("qvl", { ...question, quote, now: Math.floor(question.now.getTime() / 1000) });
}

async function ask<Q extends Common>(client: string, { tlsCaFile, root, ...question }: Q): Promise<ClientAnswer> {
  const { collateralClients } = await rustPeers();
  const text = JSON.stringify({ ...question, client, root: pemToDer(root).toString("hex") });
  const env = tlsCaFile === undefined ? process.env : { ...process.env, SSL_CERT_FILE: tlsCaFile };
  const result = await run(collateralClients, [], { input: Buffer.from(text), env });
  if (result.status !== 0) throw new Error(`collateral-clients: ${lastWords(result)}`);
  return JSON.parse(result.stdout.toString("utf8")) as ClientAnswer;
}
