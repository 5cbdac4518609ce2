import { QuotingModeGuard } from "./quoting-mode.ts";

/** The guard of the process we run in: what programs pass to `createQuoteProvider`, and tests replace. */
export const processQuotingMode = new QuotingModeGuard();
