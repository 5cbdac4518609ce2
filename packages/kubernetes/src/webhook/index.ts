export * from "./admission/index.ts";
export * from "./http/index.ts";
