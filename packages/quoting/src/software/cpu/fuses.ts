import { createHash, createHmac } from "node:crypto";
import { bytesEqual, concatBytes, fromHex, toHex } from "@confcom/sgx";
import { PlatformError } from "../../errors.ts";
import type { StateDirectory } from "../../state/state-directory.ts";

/** Whose REPORT base key and owner epoch the simulated CPU has: everyone's (the SDK's simulation) or its own. */
export type CpuProfile = "sdk-simulation" | "private";

export const CPU_PROFILES: readonly CpuProfile[] = ["sdk-simulation", "private"];

/** What EREPORT and the checking of reports need. Public in the `sdk-simulation` profile, secret in `private`. */
export interface ReportSecrets {
  /** 16 bytes. */
  readonly reportBaseKey: Uint8Array;
  /** 16 bytes. */
  readonly ownerEpoch: Uint8Array;
}

/** The simulated CPU's fuses: one base key per key name (spec: DCAP §2), 16 bytes each. */
export interface Fuses extends ReportSecrets {
  readonly profile: CpuProfile;
  readonly sealBaseKey: Uint8Array;
  readonly provisionBaseKey: Uint8Array;
  readonly provisionSealBaseKey: Uint8Array;
}

/** The constants of Intel's SDK simulation: reports made with them say nothing about who made them. */
export const SIMULATION_REPORT_SECRETS: ReportSecrets = {
  reportBaseKey: fromHex("ff00ff00ff00ff00ff00ff00ff00ff00"),
  ownerEpoch: new TextEncoder().encode("THISISOWNEREPOCH"),
};

export type RandomBytes = (size: number) => Uint8Array;

/** New fuses. Everything but the simulation's public constants is random, or attestation keys could be computed by anyone. */
export function makeFuses(profile: CpuProfile, random: RandomBytes): Fuses {
  const report =
    profile === "sdk-simulation" ? SIMULATION_REPORT_SECRETS : { reportBaseKey: random(16), ownerEpoch: random(16) };
  return {
    profile,
    reportBaseKey: report.reportBaseKey,
    ownerEpoch: report.ownerEpoch,
    sealBaseKey: random(16),
    provisionBaseKey: random(16),
    provisionSealBaseKey: random(16),
  };
}

export const FUSES_FILE = "fuses.json";
const FORMAT = "confcom-fuses-1";
const FIELDS = ["reportBaseKey", "ownerEpoch", "sealBaseKey", "provisionBaseKey", "provisionSealBaseKey"] as const;

/** Every other key follows from the fuses, so a single flipped bit must be noticed: the file carries its own digest. */
function digest(profile: string, values: readonly string[]): string {
  return createHash("sha256")
    .update([FORMAT, profile, ...values].join("\n"))
    .digest("hex");
}

/**
 * Names these fuses and no others, and tells nothing about them: 32 bytes in hex, HMAC-SHA-256 under all base keys and
 * the owner epoch. What belongs to this CPU carries it, so that a file of another state directory is noticed.
 */
export function fusesCommitment(fuses: Fuses): string {
  const secrets = concatBytes(...FIELDS.map((field) => fuses[field]));
  return createHmac("sha256", secrets).update(`confcom commitment to fuses 1\n${fuses.profile}`).digest("hex");
}

export function encodeFuses(fuses: Fuses): Uint8Array {
  const values = FIELDS.map((field) => toHex(fuses[field]));
  const keys = Object.fromEntries(FIELDS.map((field, i) => [field, values[i]]));
  const file = { format: FORMAT, profile: fuses.profile, ...keys, sha256: digest(fuses.profile, values) };
  return new TextEncoder().encode(`${JSON.stringify(file, null, 2)}\n`);
}

function damaged(why: string, cause?: unknown): PlatformError {
  return new PlatformError("STATE_DAMAGED", `${FUSES_FILE} ${why}; nothing was changed`, { cause });
}

/** Reads a fuses file. Fails with STATE_DAMAGED on anything but exactly what {@link encodeFuses} writes. */
export function decodeFuses(bytes: Uint8Array): Fuses {
  let file: unknown;
  try {
    file = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw damaged("is not JSON", cause);
  }
  if (typeof file !== "object" || file === null) throw damaged("is not a JSON object");
  const record = file as Readonly<Record<string, unknown>>;
  if (record.format !== FORMAT) throw damaged(`does not say "format": "${FORMAT}"`);
  const profile = CPU_PROFILES.find((known) => known === record.profile);
  if (profile === undefined) throw damaged("names no known profile");
  const hex = FIELDS.map((field) => {
    const value = record[field];
    if (typeof value !== "string" || !/^[0-9a-f]{32}$/.test(value)) throw damaged(`has no valid ${field}`);
    return value;
  });
  if (record.sha256 !== digest(profile, hex)) throw damaged("does not match its own digest");
  const [reportBaseKey, ownerEpoch, sealBaseKey, provisionBaseKey, provisionSealBaseKey] = hex.map((value) =>
    fromHex(value),
  ) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const fuses = { profile, reportBaseKey, ownerEpoch, sealBaseKey, provisionBaseKey, provisionSealBaseKey };
  if (!bytesEqual(bytes, encodeFuses(fuses))) throw damaged("holds more than fuses");
  return fuses;
}

/** Files that are only made once the fuses are durable, so that one of them shows that there were fuses. */
const MADE_AFTER_FUSES = ["provisioning-ca.json", "crl-state.json", "ecdsa_data.blob"] as const;

/** The fuses file, or undefined in a directory that never had one. Fails with STATE_DAMAGED when it was lost. */
function readFusesFile(state: StateDirectory): Uint8Array | undefined {
  const bytes = state.read(FUSES_FILE);
  if (bytes !== undefined) return bytes;
  const later = MADE_AFTER_FUSES.find((name) => state.read(name) !== undefined);
  if (later === undefined) return undefined;
  // Another process may have made both since the first look. What it made later, it made after the fuses: they are
  // there by now, unless they were lost.
  const made = state.read(FUSES_FILE);
  if (made !== undefined) return made;
  throw damaged(
    `is missing in ${state.path}, and ${later} shows that there was one; new fuses would silently replace the attestation key`,
  );
}

/**
 * The state directory's fuses, made at the first start. `profile` undefined means whatever the directory has, and
 * `sdk-simulation` for a new one. Fails with PROFILE_FIXED when the directory has another, STATE_DAMAGED when the file
 * is unreadable, or missing although there was one.
 */
export function openFuses(state: StateDirectory, profile: CpuProfile | undefined, random: RandomBytes): Fuses {
  let bytes = readFusesFile(state);
  if (bytes === undefined) {
    state.createOnce(FUSES_FILE, encodeFuses(makeFuses(profile ?? "sdk-simulation", random)));
    // Two processes may start on an empty directory at once: both go by the file that won.
    bytes = state.read(FUSES_FILE);
    if (bytes === undefined) throw damaged("vanished while the platform started");
  }
  const fuses = decodeFuses(bytes);
  if (profile !== undefined && fuses.profile !== profile) {
    throw new PlatformError(
      "PROFILE_FIXED",
      `${state.path} holds a "${fuses.profile}" CPU and "${profile}" was asked for: ask for "${fuses.profile}", or name another state directory for a "${profile}" CPU`,
    );
  }
  return fuses;
}
