export * from "./answer.ts";
export * from "./check/index.ts";
export type { Clock, Random } from "./clock.ts";
export { COLLATERAL_ERRORS, CollateralError, type CollateralErrorCode } from "./errors.ts";
export * from "./request.ts";
export * from "./source.ts";
