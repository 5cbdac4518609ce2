import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { RandomBytes } from "../software/cpu/fuses.ts";
import { openProvisioningAuthority } from "../software/provisioning/index.ts";
import type { AuthorityBinding, ProvisioningAuthority } from "../software/provisioning-authority.ts";
import { QE_IDENTITY } from "../software/qe/qe-identity.ts";
import {
  openSoftwarePlatform,
  type SoftwarePlatform,
  type SoftwarePlatformOptions,
} from "../software/software-platform.ts";
import { StateDirectory, type StateFileSystem } from "../state/index.ts";
import { CrashingFileSystem } from "./crashing-file-system.ts";

/** Where tests keep their state in memory. */
export const TEST_STATE = "/var/lib/confcom";
export const TEST_NOW = new Date("2026-11-21T00:00:00Z");

/** Repeatable "random" bytes. */
export function testRandom(seed: string): RandomBytes {
  let counter = 0;
  return (size) => {
    const parts = Array.from({ length: Math.ceil(size / 32) }, () =>
      createHash("sha256").update(`${seed} ${counter++}`).digest(),
    );
    return Uint8Array.from(Buffer.concat(parts).subarray(0, size));
  };
}

let ppidKey: KeyObject | undefined;

/** One RSA key for all tests of a process: making one takes longer than everything else. */
export function testPpidKey(): KeyObject {
  ppidKey ??= generateKeyPairSync("rsa", { modulusLength: 3072 }).privateKey;
  return ppidKey;
}

export function openTestState(fs: StateFileSystem = new CrashingFileSystem()): StateDirectory {
  return StateDirectory.open(TEST_STATE, fs);
}

/** The real provisioning authority of `state`, but for the RSA key. */
export function openTestAuthority(
  state: StateDirectory,
  binding: AuthorityBinding,
  random: RandomBytes = testRandom("authority"),
  now: () => Date = () => TEST_NOW,
): Promise<ProvisioningAuthority> {
  const makePpidKey = async () => testPpidKey();
  return openProvisioningAuthority({ state, now, random, qe: QE_IDENTITY, binding, makePpidKey });
}

export type TestPlatformOptions = Partial<SoftwarePlatformOptions> & { readonly state: StateDirectory };

/** The real platform on `state`, with repeatable randomness, a fixed clock and the authority of the same state. */
export function openTestPlatform(options: TestPlatformOptions): Promise<SoftwarePlatform> {
  const random = options.random ?? testRandom("platform");
  const now = options.now ?? (() => TEST_NOW);
  return openSoftwarePlatform({
    now,
    random,
    openAuthority: (binding) => openTestAuthority(options.state, binding, random, now),
    ...options,
  });
}
