export * from "./report.ts";
export * from "./service.ts";
export * from "./status.ts";
