import type { Volume, VolumeMount } from "./kubernetes-object.ts";

/** Seconds; the kubelet renews it long before. */
const TOKEN_LIFE = 3600;

/** Where clients of the API look for it. */
const TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";

/** A short-lived token of the pod's service account, bound to the pod, for the one container that mounts it. */
export function apiToken(name: string): { readonly volume: Volume; readonly mount: VolumeMount } {
  return {
    volume: {
      name,
      projected: {
        defaultMode: 0o444,
        sources: [
          { serviceAccountToken: { path: "token", expirationSeconds: TOKEN_LIFE } },
          { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        ],
      },
    },
    mount: { name, mountPath: TOKEN_DIRECTORY, readOnly: true },
  };
}
