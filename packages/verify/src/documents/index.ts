export type { QeTcbLevel } from "../collateral/qe-identity.ts";
export type { TcbInfo } from "../collateral/tcb-info.ts";
export type { TcbLevel } from "../collateral/tcb-level.ts";
export type { PckCertificate } from "../x509/chain.ts";
export * from "./check-document.ts";
export * from "./document.ts";
export { readPckCertificate } from "./pck-chain.ts";
export { DocumentRefusal, type RefusalReason } from "./refusal.ts";
export { readTcbInfo } from "./signed-json.ts";
