export {
  ADMISSION_LIMITS,
  ADMISSION_PATHS,
  type AdmissionAnswered,
  type AdmissionHandler,
  type AdmissionHandlerOptions,
  type AdmissionLimits,
  type AdmissionPath,
  type AdmissionResult,
  createAdmissionHandler,
} from "./admission-handler.ts";
export { createAdmissionServer, type ServingCertificate } from "./admission-server.ts";
