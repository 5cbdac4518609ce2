export { exportPlatformCollateral } from "./export-platform-collateral.ts";
export * from "./platform-collateral.ts";
export * from "./platform-collateral-changes.ts";
export { readPlatformCollateral } from "./read-platform-collateral.ts";
