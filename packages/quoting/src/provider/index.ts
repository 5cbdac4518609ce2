export { DEFAULT_STATE_DIRECTORY } from "./default-platform.ts";
export { processQuotingMode } from "./process-quoting-mode.ts";
export {
  createQuoteProvider,
  type EnclaveLoadPolicy,
  type QuoteProvider,
  type QuoteProviderOptions,
} from "./quote-provider.ts";
export { QuoteProviderError } from "./quote-provider-error.ts";
export { AESM_ADDRESS_VARIABLE, type QuotingMode, QuotingModeGuard, quotingModeOf } from "./quoting-mode.ts";
