import { NETWORK } from "./layout.ts";

/** A kubeconfig for one client certificate. Paths are as the program that reads it sees them. */
export function kubeconfig(user: string, pki: string): string {
  return JSON.stringify(
    {
      apiVersion: "v1",
      kind: "Config",
      clusters: [
        {
          name: "confcom-dev",
          cluster: {
            server: `https://${NETWORK.controlPlane}:${NETWORK.apiServerPort}`,
            "certificate-authority": `${pki}/ca.crt`,
          },
        },
      ],
      users: [{ name: user, user: { "client-certificate": `${pki}/${user}.crt`, "client-key": `${pki}/${user}.key` } }],
      contexts: [{ name: "confcom-dev", context: { cluster: "confcom-dev", user } }],
      "current-context": "confcom-dev",
    },
    null,
    2,
  );
}
