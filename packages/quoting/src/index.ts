export { PlatformError, QUOTING_ERRORS, type QuotingErrorCode } from "./errors.ts";
export { nodeFileSystem, StateDirectory, type StateFileSystem, type StateWarning } from "./state/index.ts";
