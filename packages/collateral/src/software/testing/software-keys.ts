import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { nodeFileSystem, StateDirectory } from "@confcom/quoting";
import type { PckTcbKey } from "@confcom/quoting/software";
import { CPU_SVNS, type CpuSvnName } from "@confcom/quoting/software";
import { encodePlatformManifest } from "../platform-manifest.ts";
import { openSoftwareUpstream, type SoftwareUpstream, type SoftwareUpstreamOptions } from "../software-upstream.ts";

export const NOW = new Date("2026-11-21T00:00:00Z");

let ppidKey: KeyObject | undefined;
/** One RSA key for all tests of a process: making one takes longer than everything else. */
export async function sharedPpidKey(): Promise<KeyObject> {
  ppidKey ??= generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey;
  return ppidKey;
}

/** Bytes that are the same in every run, and other ones for every seed. */
export function seededRandom(seed: string): (size: number) => Uint8Array {
  let counter = 0;
  return (size) => {
    const blocks = Array.from({ length: Math.ceil(size / 32) }, () =>
      createHash("sha256").update(`${seed}/${counter++}`).digest(),
    );
    return Uint8Array.from(Buffer.concat(blocks).subarray(0, size));
  };
}

/** A P-256 key pair for each name, the same in every run. */
export function pckKey(name: string): { readonly privateKey: KeyObject; readonly point: Uint8Array } {
  const d = createHash("sha256").update(name).digest();
  const pkcs8 = Buffer.concat([
    Buffer.from("3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420", "hex"),
    d,
  ]);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x, y } = privateKey.export({ format: "jwk" });
  return {
    privateKey,
    point: new Uint8Array(Buffer.concat([Buffer.from(x ?? "", "base64url"), Buffer.from(y ?? "", "base64url")])),
  };
}

/** A platform as it registers: PPID of one repeated byte, and a key of the given name for each TCB. */
export class TestPlatform {
  readonly ppid: Uint8Array;
  readonly keys: readonly PckTcbKey[];
  readonly #names: readonly string[];

  constructor(ppidByte: number, tcbs: Readonly<Partial<Record<CpuSvnName, string>>>) {
    this.ppid = new Uint8Array(16).fill(ppidByte);
    this.#names = Object.values(tcbs);
    this.keys = Object.entries(tcbs).map(([svn, name]) => ({
      cpuSvn: CPU_SVNS[svn as CpuSvnName],
      pceSvn: 16,
      pckPublicKey: pckKey(name).point,
    }));
  }

  proveKey = (key: PckTcbKey, statement: Uint8Array): Uint8Array => {
    const { privateKey } = pckKey(this.#names[this.keys.indexOf(key)] as string);
    return new Uint8Array(sign("sha256", statement, { key: privateKey, dsaEncoding: "ieee-p1363" }));
  };

  get manifest(): string {
    return encodePlatformManifest(this.ppid, this);
  }
}

/** The real upstream on a directory, but for the RSA key. */
export function openTestUpstream(
  path: string,
  changes: Partial<SoftwareUpstreamOptions> = {},
): Promise<SoftwareUpstream> {
  const state = StateDirectory.open(path, nodeFileSystem);
  return openSoftwareUpstream({
    state,
    now: () => NOW,
    random: seededRandom(path),
    makePpidKey: sharedPpidKey,
    ...changes,
  });
}
