export * from "./answer.ts";
export * from "./cache/index.ts";
export * from "./check/index.ts";
export type { Clock, Random } from "./clock.ts";
export { COLLATERAL_ERRORS, CollateralError, type CollateralErrorCode, messageOf } from "./errors.ts";
export {
  DEFAULT_DEADLINES,
  type HttpAnswer,
  type HttpClient,
  type HttpClientOptions,
  type HttpDeadlines,
  type HttpProxies,
  type HttpRequest,
  type HttpTls,
  httpClient,
} from "./http/index.ts";
export * from "./pck-selection/index.ts";
export * from "./provider/index.ts";
export * from "./request.ts";
export * from "./source.ts";
export * from "./sources/index.ts";
