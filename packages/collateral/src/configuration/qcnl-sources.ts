import type { QcnlConf } from "./qcnl-conf.ts";
import { type Origin, type Setting, setting } from "./setting.ts";
import { kindOf, type SourceSetting } from "./source-setting.ts";

const DEFAULT_PCCS_URL = "https://localhost:8081/sgx/certification/v4/";

/**
 * The sources of a qcnl.conf in the reference's order: local_pck_url, pccs_url, collateral_service; with local_cache_only the directory of
 * its files first (spec: DCAP §13).
 */
export function qcnlSources(conf: QcnlConf, path: string, files?: Setting<string>): Setting<SourceSetting>[] {
  const secure = conf.use_secure_cert ?? true;
  const custom = conf.custom_request_options;
  const source = (
    key: keyof QcnlConf,
    place: string,
    serves: SourceSetting["serves"],
    cached = true,
  ): Setting<SourceSetting> => {
    const from: Origin = conf[key] === undefined ? { kind: "default" } : { kind: "file", path, key };
    // Whatever answers there, QCNL asks it as it asks a PCCS; only Intel's own service is another matter.
    const kind = kindOf(new URL(place)) === "pcs" ? "pcs" : "pccs";
    return setting(
      { kind, place, serves, secure, cached, ...(custom === undefined || serves === "collateral" ? {} : { custom }) },
      from,
    );
  };
  const pccs = conf.pccs_url ?? DEFAULT_PCCS_URL;
  const collateral = conf.collateral_service ?? pccs;
  const only =
    conf.local_cache_only !== true || files === undefined
      ? []
      : [
          setting<SourceSetting>(
            { kind: "qcnl-files", place: files.value, serves: "pck", secure, cached: true },
            files.from,
          ),
        ];
  const local = conf.local_pck_url === undefined ? [] : [source("local_pck_url", conf.local_pck_url, "pck", false)];
  if (collateral === pccs) return [...only, ...local, source("pccs_url", pccs, "all")];
  return [...only, ...local, source("pccs_url", pccs, "pck"), source("collateral_service", collateral, "collateral")];
}
