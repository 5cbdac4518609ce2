import { basename, dirname } from "node:path";
import type { GoModule } from "./go-module.ts";

export const KUBERNETES_MODULE = "k8s.io/kubernetes";
const ETCD_MODULE = "go.etcd.io/etcd/server/v3";
const HELM_MODULE = "helm.sh/helm/v3";
const DNS_PACKAGE = "confcom.dev/interop/kubernetes/dns";
const DNS_MODULE = "github.com/coredns/coredns";

export interface Program {
  /** File name in the directory of binaries. */
  readonly name: string;
  /** What `go build` calls it: the last part of the package's path that is not a version. */
  readonly builtAs: string;
  readonly version: string;
  /** The word of the program's own account that holds its version; the version itself unless given. */
  readonly versionWord?: string;
  /** Arguments that make it print its version. */
  readonly versionArguments: readonly string[];
}

/** The programs that the module's tools make, each with the version that it must say it is. */
export function programsOf(module: GoModule): Program[] {
  return module.tools.map((tool) => {
    if (tool === ETCD_MODULE) {
      const version = versionOf(module, ETCD_MODULE).slice(1);
      return { name: "etcd", builtAs: "server", version, versionArguments: ["--version"] };
    }
    if (tool === DNS_PACKAGE) {
      const version = versionOf(module, DNS_MODULE).slice(1);
      const versionWord = `CoreDNS-${version}`;
      return { name: "coredns", builtAs: "dns", version, versionWord, versionArguments: ["-version"] };
    }
    const builtAs = /^v\d+$/.test(basename(tool)) ? basename(dirname(tool)) : basename(tool);
    if (tool.startsWith(`${HELM_MODULE}/`)) {
      return {
        name: builtAs,
        builtAs,
        version: versionOf(module, HELM_MODULE),
        versionArguments: ["version", "--short"],
      };
    }
    if (!tool.startsWith(`${KUBERNETES_MODULE}/`)) throw new Error(`go.mod: no version is known for the tool ${tool}`);
    const versionArguments = builtAs === "kubectl" ? ["version", "--client"] : ["--version"];
    return { name: builtAs, builtAs, version: versionOf(module, KUBERNETES_MODULE), versionArguments };
  });
}

/**
 * What the linker writes into the programs. Without a version stamp Kubernetes calls itself v0.0.0-master, from which
 * it derives the wrong feature gates. Other modules' programs know their versions.
 */
export function linkerFlags(module: GoModule): string {
  const kubernetes = module.requires.get(KUBERNETES_MODULE);
  if (kubernetes === undefined) return "-s -w";
  const [major, minor] = kubernetes.slice(1).split(".");
  const stamps = {
    "k8s.io/component-base/version.gitVersion": kubernetes,
    "k8s.io/component-base/version.gitMajor": major,
    "k8s.io/component-base/version.gitMinor": minor,
    "k8s.io/component-base/version.gitTreeState": "clean",
    "k8s.io/client-go/pkg/version.gitVersion": kubernetes,
    [`${HELM_MODULE}/internal/version.version`]: versionOf(module, HELM_MODULE),
  };
  return ["-s", "-w", ...Object.entries(stamps).map(([name, value]) => `-X ${name}=${value}`)].join(" ");
}

function versionOf(module: GoModule, path: string): string {
  const version = module.requires.get(path);
  if (version === undefined) throw new Error(`go.mod requires no ${path}`);
  return version;
}
