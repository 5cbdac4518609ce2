import { PlatformError } from "./errors.ts";
import type { SoftwarePlatform, SoftwarePlatformOptions } from "./software/software-platform.ts";

/** Names that `--platform` takes. */
export const PLATFORM_NAMES = ["software", "dcap"] as const;

export interface PlatformOptions extends SoftwarePlatformOptions {
  /** `software`, or `dcap` for SGX hardware. */
  readonly name: string;
}

/**
 * Opens the platform a person named. Fails with PLATFORM_UNAVAILABLE for `dcap`, PLATFORM_UNKNOWN for any other name,
 * and as {@link openSoftwarePlatform} does.
 */
export async function openPlatform({ name, ...options }: PlatformOptions): Promise<SoftwarePlatform> {
  if (name === "software") return (await import("./software/software-platform.ts")).openSoftwarePlatform(options);
  if (name === "dcap") {
    throw new PlatformError(
      "PLATFORM_UNAVAILABLE",
      'the "dcap" platform quotes with SGX hardware through Intel\'s libraries, and is not part of this version',
    );
  }
  throw new PlatformError("PLATFORM_UNKNOWN", `"${name}" is none of ${PLATFORM_NAMES.join(", ")}`);
}
