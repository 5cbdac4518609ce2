export { addressOf, addressOfText } from "./address.ts";
export { maxAgeMs } from "./cache-control.ts";
export type { HttpAnswer } from "./exchange.ts";
export {
  type HttpClient,
  type HttpClientOptions,
  type HttpProxies,
  type HttpRequest,
  type HttpTls,
  httpClient,
} from "./http-client.ts";
export { BODY_LIMITS, DEFAULT_DEADLINES, type HttpDeadlines } from "./limits.ts";
export { retryAfterMs } from "./retry-after.ts";
