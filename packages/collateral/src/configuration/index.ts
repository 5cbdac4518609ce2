export { AZDCAP_DEFAULTS, type AzdcapVariables, readAzdcapVariables } from "./azdcap-variables.ts";
export { durationText, parseDuration } from "./duration.ts";
export {
  type ConfigurationFlags,
  type ConfigurationInput,
  type EffectiveConfiguration,
  effectiveConfiguration,
  type GivenSetting,
  type LogLevel,
} from "./effective-configuration.ts";
export { httpProxies, isLinkLocal, type ProxySettings } from "./proxy-variables.ts";
export { type CustomRequestOptions, parseQcnlConf, QCNL_CONF_PATH, type QcnlConf } from "./qcnl-conf.ts";
export { type Origin, originText, type Setting } from "./setting.ts";
export { type AzureSetting, hideUserInfo, INTEL_PCS_URL, parseSource, type SourceSetting } from "./source-setting.ts";
