/** The add-on as `az aks` and ARM templates speak of it (spec: Kubernetes §4.2). */

/** On command lines. */
export const ADDON_NAME = "confcom";

/** In cluster documents; compared without regard to case. */
export const ADDON_KEY = "ACCSGXDevicePlugin";

/** Where the add-on is unless somebody says otherwise. */
export const USUAL_NAMESPACE = "kube-system";

/** The one setting of the profile; its values are text. */
export const QUOTE_HELPER_SETTING = "ACCSGXQuoteHelperEnabled";

/** Owner of every field that the add-on writes (server-side apply). */
export const FIELD_MANAGER = "confcom-addon";

export interface AddonConfig {
  readonly [QUOTE_HELPER_SETTING]: "true" | "false";
}

/** `addonProfiles.ACCSGXDevicePlugin`. */
export interface AddonProfile {
  readonly config: AddonConfig | null;
  readonly enabled: boolean;
  /** Always null: the add-on has no identity at a cloud. */
  readonly identity: null;
}

export function enabledProfile(quoteHelper: boolean): AddonProfile {
  return { config: { [QUOTE_HELPER_SETTING]: quoteHelper ? "true" : "false" }, enabled: true, identity: null };
}

export const DISABLED_PROFILE: AddonProfile = { config: null, enabled: false, identity: null };

/** One line of `addon list`. */
export interface ListedAddon {
  readonly api_key: string;
  readonly enabled: boolean;
  readonly name: string;
}

/** What `addon show` prints. */
export interface ShownAddon {
  readonly api_key: string;
  readonly config: AddonConfig | null;
  readonly identity: null;
  readonly name: string;
}
