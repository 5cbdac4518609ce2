/** `Chart.yaml`. The application's version is that of the image. */
export function chartYaml(version: string): string {
  return `apiVersion: v2
name: confcom
description: SGX for a cluster - EPC, enclave devices and quotes for confidential workloads
type: application
version: ${version}
appVersion: "${version}"
kubeVersion: ">=1.32.0-0"
keywords: [sgx, attestation, confidential-computing, device-plugin]
`;
}

/** What `helm install` prints. */
export const NOTES = `confcom {{ .Chart.AppVersion }} is installed in namespace {{ .Release.Namespace }}.

Nodes with SGX, and their EPC in MiB:
  kubectl get nodes -L sgx.confcom.dev/capable,sgx.confcom.dev/epc-mib
Its pods:
  kubectl -n {{ .Release.Namespace }} get pods -l app.kubernetes.io/part-of=confcom -o wide
{{- if .Values.pccs.enabled }}
The root that this cluster's quotes are verified with, once the first helper is ready:
  kubectl -n {{ .Release.Namespace }} get configmap {{ if .Values.pccs.url }}{{ .Values.pccs.trustConfigMap }}{{ else }}sgx-quote-root{{ end }} -o jsonpath='{.data.root-ca\\.pem}'
{{- end }}
{{- if ne .Release.Namespace "kube-system" }}

Its pods mount directories of the host: the namespace needs the label
  kubectl label namespace {{ .Release.Namespace }} pod-security.kubernetes.io/enforce=privileged
{{- end }}
`;

/** `README.md` of the chart. */
export const CHART_README = `# Helm chart of confcom

    helm install confcom deploy/helm/confcom --namespace kube-system --set image=REGISTRY/confcom:TAG

The same objects as \`confcom manifests\` prints and \`confcom addon enable\` applies, from the same description in
\`packages/kubernetes/src/manifests\`; \`npm run manifests\` writes this directory, and nothing in it is to be changed by hand. Which objects there are,
and what they do: docs/kubernetes.md.

## Values

\`values.yaml\` says what each one means. They are those of \`confcom manifests --values\`, merged in the same way (maps are merged, lists replaced,
\`null\` takes a default away) and checked in the same way: unknown names and values that cannot be right are refused.
One file of values serves both, with two exceptions:

- \`namespace\`: the objects go where the release is (\`--namespace\`). A file that names another one is refused.
- \`createNamespace\`: \`helm install --create-namespace\` does it. The pods mount directories of the host, so the namespace needs the label
  \`pod-security.kubernetes.io/enforce: privileged\`; \`kube-system\` needs none.

## Updating and removing

    helm upgrade confcom deploy/helm/confcom --namespace kube-system --reset-then-reuse-values
    helm uninstall confcom --namespace kube-system

\`uninstall\` takes away what the chart made, the claim of \`sgx-pccs\` and so the cluster's root with it. The labels and counters that nodes got
while it ran stay; \`confcom addon disable -a confcom\` takes them away.

One installation a cluster: either the chart, or \`confcom addon\`, or \`kubectl apply\`. The names of the objects are the same.
`;
