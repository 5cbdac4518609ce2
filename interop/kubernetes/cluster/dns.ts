import type { ProgramArguments } from "./control-plane-arguments.ts";
import { CONTROL_PLANE, MACHINE_PATHS, NETWORK } from "./layout.ts";

// The cluster's DNS: CoreDNS beside the control plane, behind the Service that every cluster has for it.

/** Who CoreDNS is for the API server. */
export const DNS_USER = "system:coredns";

/** Files below /etc/kubernetes of the control plane's machine. */
export const DNS_FILES = { program: "coredns", configuration: "Corefile", kubeconfig: "dns.conf" } as const;

/** Answers 200 when the first lists of Services and EndpointSlices are there. */
export const DNS_READY = "http://127.0.0.1:8181/ready";

export const DNS: ProgramArguments = {
  service: `${CONTROL_PLANE}/coredns`,
  program: [`${MACHINE_PATHS.configuration}/${DNS_FILES.program}`],
  args: ["-conf", `${MACHINE_PATHS.configuration}/${DNS_FILES.configuration}`],
};

/** Nobody is asked further: names outside of the cluster are refused at once. */
export function corefile(): string {
  return `.:53 {
    errors
    ready 127.0.0.1:8181
    cache 5
    kubernetes ${NETWORK.domain} in-addr.arpa {
        kubeconfig ${MACHINE_PATHS.configuration}/${DNS_FILES.kubeconfig}
        ttl 5
    }
}
`;
}

/** CoreDNS' rights, and the Service at the address that kubelets tell pods. */
export function dnsObjects(): readonly object[] {
  const metadata = { name: "kube-dns", namespace: "kube-system" };
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
  ];
  const rules = [
    { apiGroups: [""], resources: ["services", "namespaces"], verbs: ["list", "watch"] },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
  ];
  const rbac = "rbac.authorization.k8s.io";
  return [
    { apiVersion: `${rbac}/v1`, kind: "ClusterRole", metadata: { name: DNS_USER }, rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: "ClusterRoleBinding",
      metadata: { name: DNS_USER },
      roleRef: { apiGroup: rbac, kind: "ClusterRole", name: DNS_USER },
      subjects: [{ apiGroup: rbac, kind: "User", name: DNS_USER }],
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...metadata, labels: { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" } },
      spec: { clusterIP: NETWORK.dnsService, ports },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": metadata.name } },
      addressType: "IPv4",
      endpoints: [{ addresses: [NETWORK.controlPlane], conditions: { ready: true } }],
      ports,
    },
  ];
}
