import type { KubernetesObject, StringMap } from "../../manifests/kubernetes-object.ts";
import type { ManifestValues } from "../../manifests/manifest-values.ts";
import { PART_OF_LABEL, PCCS_CA_KEY, PCCS_USER_TOKEN_KEY, QUOTE_ROOT_KEY } from "../../manifests/object-names.ts";

/** What helpers need to know about a PCCS outside of this installation. */
export interface OutsidePccsTrust {
  /** CA of its TLS certificate, PEM. */
  readonly ca?: string | undefined;
  /** Root of the platforms' certificates that it gives, PEM. */
  readonly root?: string | undefined;
  /** With which platforms are registered. */
  readonly userToken?: string | undefined;
}

interface ConfigMap extends KubernetesObject {
  readonly data: StringMap;
}
interface Secret extends KubernetesObject {
  readonly type: "Opaque";
  readonly data: StringMap;
}

/** ConfigMap and Secret that the values name for `pccs.url`; only those for which something was given. */
export function trustObjects(values: ManifestValues, trust: OutsidePccsTrust): readonly KubernetesObject[] {
  const { namespace, pccs } = values;
  const labels = { [PART_OF_LABEL]: "confcom" };
  const objects: KubernetesObject[] = [];
  if (trust.ca !== undefined || trust.root !== undefined) {
    const configMap: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: pccs.trustConfigMap, namespace, labels },
      data: {
        ...(trust.root === undefined ? {} : { [QUOTE_ROOT_KEY]: trust.root }),
        ...(trust.ca === undefined ? {} : { [PCCS_CA_KEY]: trust.ca }),
      },
    };
    objects.push(configMap);
  }
  if (trust.userToken !== undefined) {
    const secret: Secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: pccs.userTokenSecret, namespace, labels },
      type: "Opaque",
      data: { [PCCS_USER_TOKEN_KEY]: Buffer.from(trust.userToken).toString("base64") },
    };
    objects.push(secret);
  }
  return objects;
}
