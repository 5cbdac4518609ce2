export { ApiClient, type ApiClientOptions, type ApiCredentials, type ApplyOptions } from "./api-client.ts";
export { ApiError } from "./api-error.ts";
