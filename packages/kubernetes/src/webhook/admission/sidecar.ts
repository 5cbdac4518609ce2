import { QUOTE_RESOURCE } from "../../names.ts";
import { asksFor } from "./container-amount.ts";
import type { Warn } from "./epc.ts";
import type { QuoteRoles, QuotingContainer } from "./quote-roles.ts";
import { type Refusal, shown } from "./refusal.ts";

/** What is done to a pod so that its containers reach its own AESM. */
export interface SidecarParts {
  /** Adds a directory of the pod's own; answers the volume's name. */
  addVolume(): string;
  mount(member: QuotingContainer, volume: string, readOnly: boolean): void;
  /** Where it is missing. */
  setVariable(member: QuotingContainer): void;
  readonly warn: Warn;
}

/** The containers around a pod's own AESM; undefined where it has none, or where nobody asks it. */
function sidecarPod(containers: readonly QuotingContainer[], roles: QuoteRoles) {
  const aesm = containers.find(({ container }) => roles.get(container) === "sidecar");
  const clients = containers.filter(({ container }) => roles.get(container) === "sidecar-client");
  return aesm === undefined ? undefined : { aesm, clients };
}

/** A pod with an AESM of its own never uses the node's too: which of the two made a quote would be left to chance. */
export function sidecarRefusals(containers: readonly QuotingContainer[], roles: QuoteRoles): Refusal[] {
  const pod = sidecarPod(containers, roles);
  if (pod === undefined) return [];
  return [pod.aesm, ...pod.clients].flatMap(({ container, mount }): Refusal[] => {
    const slot = asksFor(container, QUOTE_RESOURCE);
    if (!slot && mount?.ofNode !== true) return [];
    const what = slot
      ? `asks for ${QUOTE_RESOURCE}`
      : `mounts the node's directory (volume ${shown(mount?.volume ?? "")})`;
    const message =
      `the pod has an AESM of its own (container ${shown(pod.aesm.container.name)}) and container ` +
      `${shown(container.name)} ${what}: take that away to use the pod's own, or the container ` +
      `${shown(pod.aesm.container.name)} to use the node's`;
    return [{ code: "SIDECAR_AND_HELPER", message }];
  });
}

/** One directory for the pod's AESM and those who ask it: the one that is mounted already, or a new one. */
export function connectSidecar(containers: readonly QuotingContainer[], roles: QuoteRoles, parts: SidecarParts): void {
  const pod = sidecarPod(containers, roles);
  if (pod === undefined) return;
  const { aesm, clients } = pod;
  const mounted = [aesm, ...clients].find(({ mount }) => mount !== undefined)?.mount?.volume;
  let shared = mounted;
  for (const member of [aesm, ...clients]) {
    const { container, mount } = member;
    if (mount === undefined) {
      shared ??= parts.addVolume();
      parts.mount(member, shared, member !== aesm);
    } else if (mount.volume !== mounted) {
      parts.warn(
        `container ${shown(container.name)} and the pod's AESM do not meet: it mounts the volume ` +
          `${shown(mount.volume)}, not ${shown(mounted ?? "")}`,
      );
    }
    if (member === aesm) continue;
    parts.setVariable(member);
    if (container.kind !== "init") continue;
    if (aesm.container.kind === "sidecar" && aesm.container.index < container.index) continue;
    parts.warn(
      `init container ${shown(container.name)} runs before the pod's AESM: make ${shown(aesm.container.name)} ` +
        "a restartable init container ahead of it",
    );
  }
}
