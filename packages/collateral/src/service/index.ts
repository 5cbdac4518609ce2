export type { CollateralChecks } from "./checks.ts";
export * from "./create-service.ts";
export { genuineChecks } from "./genuine-checks.ts";
export * from "./http/index.ts";
export { DEFAULT_SERVICE_LIMITS, type ServiceLimits } from "./limits.ts";
export { PlatformImports } from "./platform-imports/platform-imports.ts";
export * from "./report.ts";
export * from "./service.ts";
export * from "./status.ts";
