export { collateralForQuote, type QuoteCollateral, type QuoteCollateralTerms } from "./collateral-for-quote.ts";
export {
  CollateralProvider,
  type CollateralProviderOptions,
  createCollateralProvider,
  type Provided,
} from "./collateral-provider.ts";
export { completedQuote, withCertificationData } from "./completed-quote.ts";
export { rootDistributionPoint } from "./distribution-point.ts";
export type { ProviderEvent, ReportEvent } from "./events.ts";
export { type QuoteNeeds, quoteNeeds } from "./quote-needs.ts";
