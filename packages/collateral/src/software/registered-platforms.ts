import { X509Certificate } from "node:crypto";
import type { StateDirectory } from "@confcom/quoting";
import { decodeStateRecord, encodeStateRecord, hasTexts, isObject } from "@confcom/quoting/provisioning";
import type { PckTcbKey } from "@confcom/quoting/software";
import { bytesEqual, fromHex, toHex } from "@confcom/sgx";
import { CollateralError } from "../errors.ts";
import { MAX_MANIFEST_KEYS } from "./platform-manifest.ts";

const KIND = "confcom registered platform 1";
const FILE_NAME = /^platform-[0-9a-f]{32}\.json$/;

/** A PCK key of a platform with the certificate that was issued for it. */
export interface CertifiedKey extends PckTcbKey {
  /** PEM: the leaf. */
  readonly certificate: string;
}

export interface RegisteredPlatform {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  readonly keys: readonly CertifiedKey[];
}

/**
 * The platforms that the software platform's authority knows: a file for each, `platform-<PPID>.json`, whole or not
 * there, in the authority's own directory. A file that cannot be read is never replaced: a platform's keys would be
 * anybody's to name anew.
 */
export class RegisteredPlatforms {
  readonly #state: StateDirectory;
  readonly #limit: number;
  /** Known file names; the bound on the directory's growth. */
  readonly #names: Set<string>;

  constructor(state: StateDirectory, limit: number) {
    this.#state = state;
    this.#limit = limit;
    this.#names = new Set(state.names().filter((name) => FILE_NAME.test(name)));
  }

  get count(): number {
    return this.#names.size;
  }

  /** `ppid`: 16 bytes. Fails with PLATFORM_CONFLICT when the record is damaged. */
  find(ppid: Uint8Array): RegisteredPlatform | undefined {
    const name = fileName(ppid);
    const bytes = this.#state.read(name);
    if (bytes === undefined) return undefined;
    const keys = decodeKeys(decodeStateRecord(KIND, bytes), ppid);
    if (keys !== undefined) return { ppid, keys };
    throw new CollateralError(
      "PLATFORM_CONFLICT",
      `${name} in ${this.#state.path} is damaged, and which keys the platform has cannot be known; restore the file, or remove it to let the platform register anew`,
    );
  }

  /** Whether a platform's certificate has this serial number (lower-case hexadecimal). Damaged records are passed over. */
  hasCertificate(serial: string): boolean {
    for (const name of this.#names) {
      const bytes = this.#state.read(name);
      const ppid = fromHex(name.slice("platform-".length, -".json".length));
      const keys = bytes === undefined ? undefined : decodeKeys(decodeStateRecord(KIND, bytes), ppid);
      if (keys?.some(({ certificate }) => serialOf(certificate) === serial)) return true;
    }
    return false;
  }

  /** Durable when it returns. `known`: whether the platform replaces its own record. Fails with SOURCE_REFUSED when full. */
  store(platform: RegisteredPlatform, known: boolean): void {
    const name = fileName(platform.ppid);
    const record = encodeStateRecord(KIND, {
      ppid: toHex(platform.ppid),
      keys: platform.keys.map(({ cpuSvn, pceSvn, pckPublicKey, certificate }) => ({
        cpuSvn: toHex(cpuSvn),
        pceSvn,
        pckPublicKey: toHex(pckPublicKey),
        certificate,
      })),
    });
    if (known) {
      this.#state.replace(name, record);
      return;
    }
    if (this.#names.size >= this.#limit) {
      throw new CollateralError(
        "SOURCE_REFUSED",
        `the software platform's authority has its ${this.#limit} platforms; remove platform-*.json files of platforms that are gone from ${this.#state.path} and restart`,
      );
    }
    if (!this.#state.createOnce(name, record)) {
      throw new CollateralError("SOURCE_BUSY", "another process registered the platform in the same moment", {
        retryAfterMs: 1000,
      });
    }
    this.#names.add(name);
  }
}

/** Lower-case hexadecimal. */
export function serialOf(certificate: string): string {
  return new X509Certificate(certificate).serialNumber.toLowerCase();
}

function fileName(ppid: Uint8Array): string {
  return `platform-${toHex(ppid)}.json`;
}

function decodeKeys(content: unknown, ppid: Uint8Array): readonly CertifiedKey[] | undefined {
  if (!isObject(content) || content.ppid !== toHex(ppid) || !Array.isArray(content.keys)) return undefined;
  const entries: readonly unknown[] = content.keys;
  if (entries.length < 1 || entries.length > MAX_MANIFEST_KEYS) return undefined;
  const keys: CertifiedKey[] = [];
  for (const entry of entries) {
    if (!isObject(entry) || !hasTexts(entry, "cpuSvn", "pckPublicKey", "certificate")) return undefined;
    const { pceSvn } = entry as Readonly<Record<string, unknown>>;
    if (typeof pceSvn !== "number" || !/^[0-9a-f]{32}$/.test(entry.cpuSvn)) return undefined;
    if (!/^[0-9a-f]{128}$/.test(entry.pckPublicKey)) return undefined;
    const { certificate } = entry;
    keys.push({ cpuSvn: fromHex(entry.cpuSvn), pceSvn, pckPublicKey: fromHex(entry.pckPublicKey), certificate });
  }
  return keys;
}

export function isSameTcb(a: Pick<PckTcbKey, "cpuSvn" | "pceSvn">, b: Pick<PckTcbKey, "cpuSvn" | "pceSvn">): boolean {
  return a.pceSvn === b.pceSvn && bytesEqual(a.cpuSvn, b.cpuSvn);
}
