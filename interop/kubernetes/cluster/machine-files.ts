import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { corefile, DNS_FILES, dnsObjects } from "./dns.ts";
import { kubeconfig } from "./kubeconfig.ts";
import { CONTROL_PLANE, type clusterLayout, MACHINE_PATHS } from "./layout.ts";
import { type NodePlan, nodeFiles } from "./node-configuration.ts";
import { createCertificate, nodeCertificates } from "./pki.ts";
import { createSysfsNode } from "./sgx-fixture.ts";

type Layout = ReturnType<typeof clusterLayout>;

/** Keys, certificates and kubeconfigs of the API server and its neighbours, and etcd's directory. */
export function writeControlPlaneFiles(layout: Layout): void {
  const machine = layout.machine(CONTROL_PLANE);
  mkdirSync(machine.configuration, { recursive: true });
  mkdirSync(join(machine.varLib, "etcd"), { recursive: true, mode: 0o700 });
  mkdirSync(join(machine.configuration, "pki"), { mode: 0o700 });
  const files = ["ca.crt", "apiserver", "apiserver-kubelet-client", "controller-manager", "scheduler", "admin"];
  const wanted = files.flatMap((name) => (name.includes(".") ? [name] : [`${name}.crt`, `${name}.key`]));
  copyPki(layout, CONTROL_PLANE, [...wanted, "service-accounts.key", "service-accounts.pub"]);
  writeKubeconfigs(machine.configuration, ["controller-manager", "scheduler", "admin"]);
}

/** The DNS server's program and configuration. Answers the file of the objects that it needs in the cluster. */
export function writeDnsFiles(layout: Layout, program: string): string {
  const { configuration } = layout.machine(CONTROL_PLANE);
  const objects = join(configuration, "dns-objects.json");
  copyPki(layout, CONTROL_PLANE, ["dns.crt", "dns.key"]);
  copyFileSync(program, join(configuration, DNS_FILES.program));
  chmodSync(join(configuration, DNS_FILES.program), 0o755);
  writeFileSync(join(configuration, DNS_FILES.configuration), corefile());
  const text = kubeconfig("dns", `${MACHINE_PATHS.configuration}/pki`);
  writeFileSync(join(configuration, DNS_FILES.kubeconfig), text, { mode: 0o600 });
  writeFileSync(objects, JSON.stringify({ apiVersion: "v1", kind: "List", items: dnsObjects() }));
  return objects;
}

/** Certificates, kubeconfigs and configuration of a node's programs, and what stands for its EPC. */
export async function writeNodeFiles(layout: Layout, plan: NodePlan): Promise<void> {
  const { name } = plan.options;
  const machine = layout.machine(name);
  for (const directory of ["cni", "pki"]) mkdirSync(join(machine.configuration, directory), { recursive: true });
  createSysfsNode(machine.sysfsNode, plan.options.sgx);
  for (const [file, text] of Object.entries(nodeFiles(plan))) writeFileSync(join(machine.configuration, file), text);
  const requests = nodeCertificates(name, plan.address);
  await Promise.all(requests.map((request) => createCertificate(layout.pki, request)));
  copyPki(layout, name, ["ca.crt", "kube-proxy.crt", "kube-proxy.key"]);
  for (const end of ["crt", "key"]) {
    copyPki(layout, name, [`kubelet-${name}.${end}`], `kubelet.${end}`);
    copyPki(layout, name, [`kubelet-server-${name}.${end}`], `kubelet-server.${end}`);
  }
  writeKubeconfigs(machine.configuration, ["kubelet", "kube-proxy"]);
}

function copyPki(layout: Layout, machine: string, files: readonly string[], as?: string): void {
  const target = join(layout.machine(machine).configuration, "pki");
  for (const file of files) copyFileSync(join(layout.pki, file), join(target, as ?? file));
}

function writeKubeconfigs(configuration: string, users: readonly string[]): void {
  for (const user of users) {
    const text = kubeconfig(user, `${MACHINE_PATHS.configuration}/pki`);
    writeFileSync(join(configuration, `${user}.conf`), text, { mode: 0o600 });
  }
}
