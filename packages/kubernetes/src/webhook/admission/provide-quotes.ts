import { AESM_DIRECTORY, AESM_VARIABLE, PROVISION_RESOURCE, QUOTE_RESOURCE } from "../../names.ts";
import { type AesmDirectories, volumesByName } from "./aesm-directory.ts";
import { mentions } from "./container-amount.ts";
import { addSlot, type Warn } from "./epc.ts";
import type { PatchBuilder } from "./json-patch.ts";
import type { PodView } from "./pod-view.ts";
import { aesmVariable, type QuoteRoles, type QuotingContainer } from "./quote-roles.ts";
import { shown } from "./refusal.ts";
import { connectSidecar } from "./sidecar.ts";

export interface QuoteOptions {
  /** What a container gets that opts in: the quote slot, or the directory as a volume with mount and variable. */
  readonly injection: "slot" | "mount";
  /** The quote helper's directory on the nodes; `/var/run/aesmd` unless the installation says otherwise. */
  readonly aesmDirectory: string;
}

/** Volume of the AESM directory, as Intel's webhook calls it. */
const VOLUME = "aesmd-socket";

/** Gives each container what its role needs and it has not got. */
export function provideQuotes(
  pod: PodView,
  containers: readonly QuotingContainer[],
  roles: QuoteRoles,
  directories: AesmDirectories,
  options: QuoteOptions,
  patch: PatchBuilder,
  warn: Warn,
): void {
  let nodeVolume = directories.volumeOf(pod);
  const mountNodeDirectory = (member: QuotingContainer, readOnly: boolean): void => {
    nodeVolume ??= addVolume(pod, patch, { hostPath: { path: options.aesmDirectory, type: "DirectoryOrCreate" } });
    mount(member, nodeVolume, readOnly, patch);
  };
  for (const member of containers) {
    const { container, epc } = member;
    const role = roles.get(container);
    if (role !== undefined && role !== "helper" && role !== "sidecar-client" && epc > 0n) {
      addSlot(container, PROVISION_RESOURCE, patch);
    }
    if (member.mount?.socketFile === true && member.mount.ofNode) {
      warn(
        `container ${shown(container.name)} mounts the AESM's socket, which the helper's next start replaces: ` +
          `mount the directory ${options.aesmDirectory}, or ask for ${QUOTE_RESOURCE}: 1`,
      );
    }
    if (role === "node-aesm") {
      if (member.mount === undefined) mountNodeDirectory(member, false);
      warn(`container ${shown(container.name)} is an AESM for its node: it and sgx-quote-helper exclude each other`);
    }
    // The slot's mount and variable come from the node's device plugin.
    if (role !== "helper" || mentions(container, QUOTE_RESOURCE)) continue;
    if (member.mount === undefined && options.injection === "slot") {
      addSlot(container, QUOTE_RESOURCE, patch);
      continue;
    }
    if (member.mount === undefined) mountNodeDirectory(member, true);
    setVariable(member, patch);
  }
  connectSidecar(containers, roles, {
    addVolume: () => addVolume(pod, patch, { emptyDir: { medium: "Memory" } }),
    mount: (member, volume, readOnly) => mount(member, volume, readOnly, patch),
    setVariable: (member) => setVariable(member, patch),
    warn,
  });
}

function mount({ container }: QuotingContainer, name: string, readOnly: boolean, patch: PatchBuilder): void {
  // Connecting to a socket needs no right to write, making one does.
  const volumeMount = { name, mountPath: AESM_DIRECTORY, ...(readOnly ? { readOnly } : {}) };
  patch.append([...container.path, "volumeMounts"], volumeMount);
}

function setVariable({ container }: QuotingContainer, patch: PatchBuilder): void {
  if (aesmVariable(container) !== "absent") return;
  patch.append([...container.path, "env"], { name: AESM_VARIABLE, value: "1" });
}

function addVolume(pod: PodView, patch: PatchBuilder, source: object): string {
  const taken = volumesByName(pod);
  let name = VOLUME;
  for (let number = 2; taken.has(name); number++) name = `${VOLUME}-${number}`;
  patch.append(["spec", "volumes"], { name, ...source });
  return name;
}
