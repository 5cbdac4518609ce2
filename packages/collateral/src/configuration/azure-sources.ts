import { AZDCAP_DEFAULTS, type AzdcapVariables } from "./azdcap-variables.ts";
import { type Origin, type Setting, setting } from "./setting.ts";
import type { AzureSetting, SourceSetting } from "./source-setting.ts";

/**
 * Azure's sources in the order of az-dcap-client: the instance's agent unless it is bypassed, then the cache, for PCK
 * certificates; one base URL for everything else (spec: DCAP §14). `selectedBy`: the variable because of which Azure is asked.
 */
export function azureSources(variables: AzdcapVariables, selectedBy: string): Setting<SourceSetting>[] {
  const azure = azureSetting(variables);
  const source = (
    name: keyof AzdcapVariables,
    place: string,
    serves: SourceSetting["serves"],
    cached: boolean,
  ): Setting<SourceSetting> => {
    const from: Origin = { kind: "variable", name: variables[name] === undefined ? selectedBy : name };
    return setting({ kind: "thim", place: `${place}/`, serves, secure: true, cached, azure }, from);
  };
  const primary = variables.AZDCAP_PRIMARY_BASE_CERT_URL ?? AZDCAP_DEFAULTS.primaryUrl;
  const secondary = variables.AZDCAP_SECONDARY_BASE_CERT_URL ?? AZDCAP_DEFAULTS.collateralUrl;
  const collateral = variables.AZDCAP_BASE_CERT_URL ?? AZDCAP_DEFAULTS.collateralUrl;
  return [
    ...(variables.AZDCAP_BYPASS_BASE_URL ? [] : [source("AZDCAP_PRIMARY_BASE_CERT_URL", primary, "pck", true)]),
    source("AZDCAP_SECONDARY_BASE_CERT_URL", secondary, "pck", true),
    source("AZDCAP_BASE_CERT_URL", collateral, "collateral", true),
  ];
}

function azureSetting(variables: AzdcapVariables): AzureSetting {
  const region = variables.AZDCAP_REGION_URL;
  const suffix = variables.AZDCAP_BASE_CERT_URL_TDX ?? AZDCAP_DEFAULTS.tdxSuffix;
  return {
    clientId: variables.AZDCAP_CLIENT_ID ?? AZDCAP_DEFAULTS.clientId,
    version: variables.AZDCAP_COLLATERAL_VERSION ?? "v4",
    tdxVersion: variables.AZDCAP_COLLATERAL_VERSION_TDX ?? "v4",
    tdxSuffix: suffix,
    ...(region === undefined ? {} : { tdxUrl: `https://${region}${suffix}/` }),
    onDemand: variables.AZDCAP_DISABLE_ONDEMAND !== true,
  };
}
