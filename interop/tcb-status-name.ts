import type { QvResultName } from "@confcom/sgx";

type StatusNames = Readonly<Partial<Record<QvResultName, string>>>;

/** Intel's result names and the TCB status names that the foreign verifiers answer with, for SGX quotes (spec: DCAP §9, §11). */
export const SGX_STATUS_NAME: StatusNames = {
  OK: "UpToDate",
  SW_HARDENING_NEEDED: "SWHardeningNeeded",
  CONFIG_NEEDED: "ConfigurationNeeded",
  CONFIG_AND_SW_HARDENING_NEEDED: "ConfigurationAndSWHardeningNeeded",
  OUT_OF_DATE: "OutOfDate",
  OUT_OF_DATE_CONFIG_NEEDED: "OutOfDateConfigurationNeeded",
};

/** The same with what only TDX quotes can be. */
export const STATUS_NAME: StatusNames = {
  ...SGX_STATUS_NAME,
  TD_RELAUNCH_ADVISED: "TDRelaunchAdvised",
  TD_RELAUNCH_ADVISED_CONFIG_NEEDED: "TDRelaunchAdvisedConfigurationNeeded",
};
