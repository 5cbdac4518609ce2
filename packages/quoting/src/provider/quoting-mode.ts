import { PlatformError } from "../errors.ts";

/** Where quotes are made: in the caller's process, or in another one reached through AESM. */
export type QuotingMode = "in-process" | "out-of-process";

/** The variable that selects out-of-process quoting by its presence; its value is never looked at (spec: AESM §1.4). */
export const AESM_ADDRESS_VARIABLE = "SGX_AESM_ADDR";

/** What an environment asks for. An empty value is present too. */
export function quotingModeOf(env: Readonly<Record<string, string | undefined>>): QuotingMode {
  return env[AESM_ADDRESS_VARIABLE] === undefined ? "in-process" : "out-of-process";
}

/** Holds the mode of a process once it is chosen: an application may use either mode, never both. */
export class QuotingModeGuard {
  #mode: QuotingMode | undefined;

  /** Takes or confirms a mode. Fails with PROVIDER_MODE_FIXED when the process already quotes in the other one. */
  claim(mode: QuotingMode): void {
    this.#mode ??= mode;
    if (this.#mode === mode) return;
    const present = mode === "out-of-process" ? "was not set" : "was set";
    throw new PlatformError(
      "PROVIDER_MODE_FIXED",
      `this process quotes ${this.#mode}, because ${AESM_ADDRESS_VARIABLE} ${present} when it first asked for a quote; it cannot go over to ${mode} quoting`,
    );
  }
}
