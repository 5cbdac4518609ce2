import { CollateralError } from "../errors.ts";
import { type AzdcapVariables, azureSelectedBy } from "./azdcap-variables.ts";
import { azureSources } from "./azure-sources.ts";
import { qcnlDirectory } from "./cache-directory.ts";
import type { ConfigurationFlags, ConfigurationInput } from "./effective-configuration.ts";
import type { FoundConf } from "./find-qcnl-conf.ts";
import { qcnlSources } from "./qcnl-sources.ts";
import { type Setting, setting } from "./setting.ts";
import { INTEL_PCS_URL, parseSource, type SourceSetting } from "./source-setting.ts";

/** Those of the command line alone, if it names any; else Azure's where a variable asks for them, followed by the file's; else Intel's PCS. */
export function orderedSources(
  flags: ConfigurationFlags,
  azure: AzdcapVariables,
  file: FoundConf | undefined,
  env: ConfigurationInput["env"],
): Setting<SourceSetting>[] {
  const secure = flags.insecure !== true;
  const named = [
    ...(flags.pccsUrl === undefined ? [] : [{ option: "--pccs-url", given: flags.pccsUrl }]),
    ...(flags.source ?? []).map((given) => ({ option: "--source", given })),
  ];
  if (named.length > 16) throw new CollateralError("CONFIGURATION", "at most 16 sources can be named");
  if (named.length > 0) {
    return named.map(({ option, given }) => {
      const parsed = parseSource(given, option);
      if (option === "--pccs-url" && parsed.kind === "directory")
        throw new CollateralError("CONFIGURATION", `--pccs-url takes a URL such as https://HOST:8081, got "${given}"`);
      return setting({ ...parsed, serves: "all", secure, cached: true }, { kind: "flag", name: option });
    });
  }
  const variable = azureSelectedBy(azure);
  const found = [
    ...(variable === undefined ? [] : azureSources(azure, variable)),
    ...(file === undefined ? [] : qcnlSources(file.conf, file.path, qcnlDirectory(env))),
  ].map((source) => (secure ? source : setting({ ...source.value, secure }, source.from)));
  if (found.length > 0) return found;
  return [setting({ kind: "pcs", place: INTEL_PCS_URL, serves: "all", secure, cached: true })];
}
