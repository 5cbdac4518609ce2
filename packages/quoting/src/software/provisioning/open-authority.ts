import type { KeyObject } from "node:crypto";
import { PlatformError } from "../../errors.ts";
import type { StateDirectory } from "../../state/index.ts";
import type { RandomBytes } from "../cpu/fuses.ts";
import type { AuthorityBinding, QeIdentityFacts } from "../provisioning-authority.ts";
import { AUTHORITY_FILE, type AuthorityKeys, createAuthorityFile, readAuthorityFile } from "./authority-record.ts";
import { createRevocationState, REVOCATION_FILE, readRevocationState } from "./revocation-state.ts";
import { SoftwareProvisioningAuthority } from "./software-authority.ts";

export interface AuthorityOptions {
  readonly state: StateDirectory;
  readonly now: () => Date;
  readonly random: RandomBytes;
  /** What the QE identity document says of the quoting enclave. */
  readonly qe: QeIdentityFacts;
  readonly binding: AuthorityBinding;
  /** Makes the RSA-3072 private key for PPIDs; left out, the crypto library does, from its own randomness. */
  readonly makePpidKey?: () => Promise<KeyObject>;
}

/**
 * Opens the provisioning authority of a state directory, making it at the first start, and signs its collateral anew
 * when under ten days remain. With everything in place no certificate-issuing code is loaded.
 *
 * Fails with STATE_DAMAGED, and nothing overwritten, when the CA keys or the revocation state are damaged, one of them
 * is missing that must have been there, or the keys were made for other fuses; with STATE_REPLACED when the root is not
 * the one in use.
 */
export async function openProvisioningAuthority(options: AuthorityOptions): Promise<SoftwareProvisioningAuthority> {
  const authority = new SoftwareProvisioningAuthority(options, await openKeys(options));
  await authority.collateral();
  return authority;
}

async function openKeys(options: AuthorityOptions): Promise<AuthorityKeys> {
  const { state, binding } = options;
  const existing = readAuthorityFile(state, binding);
  if (existing === undefined) return makeKeys(options);
  // The revocation state is made before the keys, so beside keys it can only be missing because it was lost.
  readRevocationState(state);
  return existing;
}

async function makeKeys({ state, now, random, makePpidKey, binding }: AuthorityOptions): Promise<AuthorityKeys> {
  createRevocationState(state);
  const hasSigned = readRevocationState(state).root.number > 0;
  // Another process may be starting on the same directory, and may have come further since.
  let keys = readAuthorityFile(state, binding);
  if (keys === undefined && !hasSigned) {
    const { makeAuthority } = await import("./issuing/index.ts");
    createAuthorityFile(state, await makeAuthority(now(), random, makePpidKey), binding);
    keys = readAuthorityFile(state, binding);
  }
  if (keys !== undefined) return keys;
  throw new PlatformError(
    "STATE_DAMAGED",
    `${AUTHORITY_FILE} in ${state.path} is missing, and ${REVOCATION_FILE} shows that there was one; new keys would silently replace a root that others trust`,
  );
}
