import { createHash, timingSafeEqual } from "node:crypto";
import { CollateralError } from "../../errors.ts";
import type { TokenKind } from "./endpoints.ts";

/** SHA-512 of the tokens in hexadecimal, as the reference's configuration has them. Several of each: one is replaced by another. */
export interface TokenHashes {
  readonly user: readonly string[];
  readonly admin: readonly string[];
}

/** The header that carries a token (spec: DCAP §12). */
export const TOKEN_HEADERS: Readonly<Record<TokenKind, string>> = { user: "user-token", admin: "admin-token" };

const MAX_TOKEN_LENGTH = 1024;
const MAX_TOKENS = 64;

/** Whether a token is one of those whose hashes are known. */
export class Tokens {
  readonly #digests: Readonly<Record<TokenKind, readonly Buffer[]>>;

  /** Fails with SERVICE_CONFIGURATION: a hash is 128 hexadecimal digits. */
  constructor(hashes: TokenHashes) {
    this.#digests = { user: digests("user", hashes.user), admin: digests("admin", hashes.admin) };
  }

  /** Compares with every hash, however early one fits, in time that does not depend on the token. */
  accepts(kind: TokenKind, token: unknown): boolean {
    if (typeof token !== "string" || token === "" || token.length > MAX_TOKEN_LENGTH) return false;
    const digest = createHash("sha512").update(token, "utf8").digest();
    let found = false;
    for (const known of this.#digests[kind]) found = timingSafeEqual(digest, known) || found;
    return found;
  }
}

function digests(kind: TokenKind, hashes: readonly string[]): readonly Buffer[] {
  if (hashes.length > MAX_TOKENS) {
    throw new CollateralError("SERVICE_CONFIGURATION", `there are more than ${MAX_TOKENS} ${kind} tokens`);
  }
  return hashes.map((hash, index) => {
    if (/^[0-9A-Fa-f]{128}$/.test(hash)) return Buffer.from(hash, "hex");
    throw new CollateralError("SERVICE_CONFIGURATION", `${kind} token ${index + 1} is no SHA-512 in hexadecimal`);
  });
}
