export { PlatformError, QUOTING_ERRORS, type QuotingErrorCode } from "./errors.ts";
export { openPlatform, PLATFORM_NAMES, type PlatformOptions } from "./open-platform.ts";
export * from "./provider/index.ts";
export { nodeFileSystem, StateDirectory, type StateFileSystem, type StateWarning } from "./state/index.ts";
