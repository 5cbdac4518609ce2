import { ADDON_NAME, KubernetesError } from "@confcom/kubernetes/addon";

/** Add-ons by name, separated by commas. Throws KubernetesError `ADDON_NAME_UNKNOWN` in az's words. */
export function checkAddonNames(text: string): void {
  for (const name of text.split(",")) {
    if (name !== ADDON_NAME) throw new KubernetesError("ADDON_NAME_UNKNOWN", `Invalid addon name: ${name}.`);
  }
}
