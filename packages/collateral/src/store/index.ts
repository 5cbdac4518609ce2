export { type OpenStoreOptions, openStore } from "./open-store.ts";
export * from "./store.ts";
