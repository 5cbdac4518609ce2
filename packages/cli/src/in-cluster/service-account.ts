/** Where the kubelet shows a pod its service account: `token`, `ca.crt`, `namespace`. */
export const SERVICE_ACCOUNT_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
