import { createHash, type KeyObject } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { p256KeyPair } from "../../../crypto/p256.ts";
import { nodeFileSystem, StateDirectory, type StateFileSystem } from "../../../state/index.ts";
import { CPU_SVNS, type CpuSvnName } from "../../cpu/cpu-svn.ts";
import type { RandomBytes } from "../../cpu/fuses.ts";
import type { AuthorityBinding, PckRequest, QeIdentityFacts } from "../../provisioning-authority.ts";
import { newPpidKey } from "../issuing/keys.ts";
import type { AuthorityOptions } from "../open-authority.ts";

export const START = new Date("2026-03-04T05:06:07.890Z");
export const DAY_MS = 24 * 60 * 60 * 1000;

export const QE: QeIdentityFacts = {
  mrSigner: Uint8Array.from({ length: 32 }, (_, i) => 0xa0 + i),
  isvProdId: 1,
  isvSvn: 11,
  miscSelect: 0,
  attributes: { flags: 0x15n, xfrm: 0xe7n },
};

/** Of authorities that stand alone, without a CPU. */
export const BINDING: AuthorityBinding = { fuses: "c0".repeat(32) };

/** Generated once for all tests of a file: it takes longer than everything else together. */
let ppidKey: Promise<KeyObject> | undefined;
export const sharedPpidKey = (): Promise<KeyObject> => {
  ppidKey ??= newPpidKey();
  return ppidKey;
};

/** Bytes that are the same in every run, and other ones in every place. */
export function seededRandom(seed: string): RandomBytes {
  let counter = 0;
  return (size) => {
    const out = new Uint8Array(size);
    for (let at = 0; at < size; at += 32) {
      const block = createHash("sha256").update(`${seed}/${counter++}`).digest();
      out.set(block.subarray(0, Math.min(32, size - at)), at);
    }
    return out;
  };
}

/** A state directory that goes when the test ends, and a clock that the test sets. */
export class TemporaryState {
  readonly path: string;
  now = START;

  constructor(t: TestContext) {
    this.path = mkdtempSync(join(tmpdir(), "provisioning-"));
    t.after(() => rmSync(this.path, { recursive: true, force: true }));
  }

  directory(fs: StateFileSystem = nodeFileSystem): StateDirectory {
    return StateDirectory.open(this.path, fs);
  }

  options(changes: Partial<AuthorityOptions> = {}): AuthorityOptions {
    return {
      state: this.directory(),
      now: () => this.now,
      random: seededRandom(this.path),
      qe: QE,
      binding: BINDING,
      makePpidKey: sharedPpidKey,
      ...changes,
    };
  }

  /** Moves the clock to so many days after the start. */
  atDay(days: number): void {
    this.now = new Date(START.getTime() + days * DAY_MS);
  }

  /** Every file with its content. */
  files(): ReadonlyMap<string, string> {
    const names = readdirSync(this.path).sort();
    return new Map(names.map((name) => [name, readFileSync(join(this.path, name), "utf8")]));
  }
}

export const PCK_KEY = p256KeyPair(Uint8Array.from({ length: 32 }, (_, i) => i + 1));

export function pckRequest(cpuSvn: CpuSvnName = "default", changes: Partial<PckRequest> = {}): PckRequest {
  return {
    ppid: Uint8Array.from({ length: 16 }, (_, i) => 0x10 + i),
    cpuSvn: CPU_SVNS[cpuSvn],
    pceSvn: 16,
    pceId: 0,
    pckPublicKey: PCK_KEY.publicPoint,
    ...changes,
  };
}

/** The certificates of a PEM chain, each with its frame. */
export function pemCertificates(chain: string): readonly string[] {
  return chain.match(/-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n/g) ?? [];
}
