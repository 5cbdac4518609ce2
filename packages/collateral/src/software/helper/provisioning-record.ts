import type { StateDirectory } from "@confcom/quoting";
import { decodeStateRecord, encodeStateRecord, hasTexts, isObject } from "@confcom/quoting/provisioning";
import type { PckRequest } from "@confcom/quoting/software";
import { toHex } from "@confcom/sgx";

export const PROVISIONING_SERVICE_FILE = "provisioning-service.json";
const KIND = "confcom provisioning service 1";
const MAX_CHAINS = 16;

/** A chain as the service answered it, and for what it was asked. */
export interface StoredChain {
  /** PPID, CPUSVN, PCESVN, PCEID and key: a text that is the same for the same request. */
  readonly issuedFor: string;
  /** PEM: leaf. */
  readonly certificate: string;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
}

/** Which service certifies the platform of this state directory, and what it got from there. */
export interface ProvisioningRecord {
  readonly url: string;
  /** PEM: the root that was trusted when the chains were taken. */
  readonly root: string;
  /** PEM: what the service's TLS certificate was checked with; undefined: the well-known CAs. */
  readonly tlsCa: string | undefined;
  /** False once the platform went back to its own authority. */
  readonly inUse: boolean;
  readonly chains: readonly StoredChain[];
}

/** The record; undefined when there is none, or it is damaged: it can be had again from the service. */
export function readProvisioningRecord(state: StateDirectory): ProvisioningRecord | undefined {
  const bytes = state.read(PROVISIONING_SERVICE_FILE);
  const content = bytes && decodeStateRecord(KIND, bytes);
  if (!hasTexts(content, "url", "root")) return undefined;
  const { url, root } = content;
  const { tlsCa, inUse, chains } = content as Readonly<Record<string, unknown>>;
  if (typeof inUse !== "boolean" || !Array.isArray(chains) || !isOptionalText(tlsCa)) return undefined;
  const entries: readonly unknown[] = chains;
  if (!entries.every(isChain)) return undefined;
  return { url, root, tlsCa, inUse, chains: entries };
}

/** Durable when it returns; the oldest chains go when there are too many. */
export function writeProvisioningRecord(state: StateDirectory, record: ProvisioningRecord): void {
  const chains = record.chains.slice(-MAX_CHAINS);
  state.replace(PROVISIONING_SERVICE_FILE, encodeStateRecord(KIND, { ...record, chains }));
}

export function issuedFor({ ppid, cpuSvn, pceSvn, pceId, pckPublicKey }: PckRequest): string {
  return [toHex(ppid), toHex(cpuSvn), pceSvn, pceId, toHex(pckPublicKey)].join(" ");
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isChain(value: unknown): value is StoredChain {
  return isObject(value) && hasTexts(value, "issuedFor", "certificate", "issuerChain");
}
