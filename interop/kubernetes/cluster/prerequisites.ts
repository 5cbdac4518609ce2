import { delimiter, join } from "node:path";

/** Programs of the distribution that a cluster needs: program → Debian package. */
const PROGRAMS: Readonly<Record<string, string>> = {
  containerd: "containerd",
  "containerd-shim-runc-v2": "containerd",
  ctr: "containerd",
  runc: "runc",
  ip: "iproute2",
  iptables: "iptables",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  openssl: "openssl",
  hostname: "hostname",
};

const CNI_PLUGINS = ["bridge", "host-local", "loopback"];
const CNI_DIRECTORY = "/usr/lib/cni";
const ALWAYS_SEARCHED = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** What is not installed, one line for each with the way to get it; empty when everything is there. */
export function missingPrograms(exists: (path: string) => boolean, path: string): readonly string[] {
  const directories = [...path.split(delimiter).filter((directory) => directory !== ""), ...ALWAYS_SEARCHED];
  const missing = Object.entries(PROGRAMS).filter(
    ([name]) => !directories.some((directory) => exists(join(directory, name))),
  );
  if (CNI_PLUGINS.some((plugin) => !exists(join(CNI_DIRECTORY, plugin)))) {
    missing.push([`the CNI plugins ${CNI_PLUGINS.join(", ")} in ${CNI_DIRECTORY}`, "containernetworking-plugins"]);
  }
  if (missing.length === 0) return [];
  const packages = [...new Set(missing.map(([, name]) => name))].sort();
  return [
    `not installed: ${missing.map(([name]) => name).join(", ")}`,
    `on Debian and Ubuntu: apt-get install --no-install-recommends ${packages.join(" ")}`,
  ];
}
