import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DNS_USER } from "./dns.ts";
import { NETWORK } from "./layout.ts";

const run = promisify(execFile);

/** What a certificate of the cluster says. */
export interface CertificateRequest {
  /** Files NAME.crt and NAME.key. */
  readonly name: string;
  readonly commonName: string;
  readonly organization?: string;
  /** `DNS:...` and `IP:...`; a certificate with names is a server's, one without is a client's. */
  readonly names?: readonly string[];
}

/** Who the control plane's programs are, as the RBAC rules that every cluster has know them. */
const CONTROL_PLANE_CERTIFICATES: readonly CertificateRequest[] = [
  {
    name: "apiserver",
    commonName: "kube-apiserver",
    names: [
      "DNS:kubernetes",
      "DNS:kubernetes.default",
      "DNS:kubernetes.default.svc",
      "DNS:kubernetes.default.svc.cluster.local",
      "DNS:localhost",
      "IP:127.0.0.1",
      `IP:${NETWORK.apiServerService}`,
      `IP:${NETWORK.controlPlane}`,
    ],
  },
  { name: "apiserver-kubelet-client", commonName: "kube-apiserver-kubelet-client", organization: "system:masters" },
  { name: "admin", commonName: "admin", organization: "system:masters" },
  { name: "controller-manager", commonName: "system:kube-controller-manager" },
  { name: "scheduler", commonName: "system:kube-scheduler" },
  { name: "kube-proxy", commonName: "system:kube-proxy" },
  { name: "dns", commonName: DNS_USER },
];

export function nodeCertificates(node: string, address: string): readonly CertificateRequest[] {
  return [
    { name: `kubelet-${node}`, commonName: `system:node:${node}`, organization: "system:nodes" },
    { name: `kubelet-server-${node}`, commonName: node, names: [`DNS:${node}`, `IP:${address}`] },
  ];
}

/** The configuration that `openssl req` needs for one certificate; nothing comes from the machine's own openssl.cnf. */
function opensslConfiguration(request: CertificateRequest | "authority"): string {
  const head = ["[req]", "prompt = no", "distinguished_name = subject", "x509_extensions = extensions", "[subject]"];
  if (request === "authority") {
    return [
      ...head,
      "CN = confcom-dev-ca",
      "[extensions]",
      "basicConstraints = critical, CA:TRUE",
      "keyUsage = critical, keyCertSign, cRLSign",
      "subjectKeyIdentifier = hash",
      "",
    ].join("\n");
  }
  return [
    ...head,
    ...(request.organization === undefined ? [] : [`O = ${request.organization}`]),
    `CN = ${request.commonName}`,
    "[extensions]",
    "basicConstraints = critical, CA:FALSE",
    "keyUsage = critical, digitalSignature",
    `extendedKeyUsage = ${request.names === undefined ? "clientAuth" : "serverAuth"}`,
    "authorityKeyIdentifier = keyid",
    ...(request.names === undefined ? [] : [`subjectAltName = ${request.names.join(", ")}`]),
    "",
  ].join("\n");
}

/** Makes the authority, the key of service account tokens and every certificate of the control plane in `directory` (0700). */
export async function createPki(directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const serviceAccounts = async () => {
    const key = join(directory, "service-accounts.key");
    await run("openssl", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", key]);
    await run("openssl", ["pkey", "-in", key, "-pubout", "-out", join(directory, "service-accounts.pub")]);
  };
  const certificates = async () => {
    await createCertificate(directory, "authority");
    await Promise.all(CONTROL_PLANE_CERTIFICATES.map((request) => createCertificate(directory, request)));
  };
  await Promise.all([serviceAccounts(), certificates()]);
}

/** Makes NAME.key and NAME.crt, signed by the directory's authority. */
export async function createCertificate(directory: string, request: CertificateRequest | "authority"): Promise<void> {
  const name = request === "authority" ? "ca" : request.name;
  const configuration = join(directory, `${name}.cnf`);
  writeFileSync(configuration, opensslConfiguration(request));
  const argv = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "365"];
  argv.push(
    "-config",
    configuration,
    "-keyout",
    join(directory, `${name}.key`),
    "-out",
    join(directory, `${name}.crt`),
  );
  if (request !== "authority") argv.push("-CA", join(directory, "ca.crt"), "-CAkey", join(directory, "ca.key"));
  await run("openssl", argv);
}
