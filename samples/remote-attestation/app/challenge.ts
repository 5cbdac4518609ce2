import { createHash } from "node:crypto";

/** What both sides take when nobody set one: fine for a first look, worth nothing against replay. */
export const DEFAULT_CHALLENGE = "confcom remote attestation sample";

/** The longest text taken, in characters. */
const MAX_CHALLENGE = 4096;

/** The report data that answers a verifier's challenge: its SHA-256, the other 32 bytes zero. */
export function reportDataFor(challenge: string): Uint8Array {
  if (challenge.length > MAX_CHALLENGE) throw new Error(`a challenge has at most ${MAX_CHALLENGE} characters`);
  const data = new Uint8Array(64);
  data.set(createHash("sha256").update(challenge, "utf8").digest());
  return data;
}
