import { createHash } from "node:crypto";
import type { StateDirectory, StateWarning } from "@confcom/quoting";
import { USER_TOKEN_FILE, USER_TOKEN_HASHES_FILE } from "./prepared-files.ts";

export interface RegistrationTokenOptions {
  /** The directory of these files alone. */
  readonly state: StateDirectory;
  readonly now: Date;
  readonly random: (size: number) => Uint8Array;
  readonly warn: StateWarning;
}

/** 256 bits: a token is a key, not a password. */
const TOKEN_BYTES = 32;
/** What a header can carry. */
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/**
 * The user token with which platforms register, made when there is none; its hash is in the hash file when this returns,
 * beside whatever else is there. Fails with STATE_*.
 */
export function ensureRegistrationToken(options: RegistrationTokenOptions): { token: string; made: boolean } {
  const { state } = options;
  const { token, made } = ensureToken(options);
  const hash = createHash("sha512").update(token, "utf8").digest("hex");
  const hashes = read(state, USER_TOKEN_HASHES_FILE) ?? "";
  const known = hashes.split("\n").some((line) => line.trim().toLowerCase() === hash);
  // A last line without its end would swallow the new hash.
  const start = hashes === "" || hashes.endsWith("\n") ? hashes : `${hashes}\n`;
  if (!known) state.replace(USER_TOKEN_HASHES_FILE, new TextEncoder().encode(`${start}${hash}\n`));
  return { token, made };
}

function ensureToken({ state, now, random, warn }: RegistrationTokenOptions): { token: string; made: boolean } {
  const present = read(state, USER_TOKEN_FILE)?.trim();
  if (present !== undefined && TOKEN.test(present)) return { token: present, made: false };
  if (present !== undefined) {
    const aside = state.moveAside(USER_TOKEN_FILE, now);
    warn(`${USER_TOKEN_FILE} does not hold one token; moved to ${aside}, and another one is made`);
  }
  const token = Buffer.from(random(TOKEN_BYTES)).toString("hex");
  if (state.createOnce(USER_TOKEN_FILE, new TextEncoder().encode(`${token}\n`))) return { token, made: true };
  // Another process came first: that one's is the token.
  return { token: read(state, USER_TOKEN_FILE)?.trim() ?? token, made: false };
}

function read(state: StateDirectory, name: string): string | undefined {
  const bytes = state.read(name);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}
