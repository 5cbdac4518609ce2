import { AESM_VARIABLE, PROVISION_RESOURCE, QUOTE_RESOURCE } from "../../names.ts";
import type { AesmMount } from "./aesm-directory.ts";
import { asksFor } from "./container-amount.ts";
import type { Warn } from "./epc.ts";
import type { ContainerView } from "./pod-view.ts";
import { AESMD, type QuoteProvider } from "./quote-provider.ts";
import { type Refusal, shown } from "./refusal.ts";

/** A container with what decides how it gets quotes. */
export interface QuotingContainer {
  readonly container: ContainerView;
  /** Bytes. */
  readonly epc: bigint;
  readonly mount: AesmMount | undefined;
}

export type QuoteRole =
  /** From the node's quote helper. */
  | "helper"
  /** From the AESM of its own pod. */
  | "sidecar-client"
  /** Is that AESM. */
  | "sidecar"
  /** Is an AESM for its node: no other container of the pod wants one. */
  | "node-aesm"
  /** By itself, with the provisioning key. */
  | "in-process";

export type QuoteRoles = ReadonlyMap<ContainerView, QuoteRole>;

/** `empty` keeps the container out of what an annotation says of the whole pod. Of equal names the last one counts. */
export function aesmVariable({ env }: ContainerView): "set" | "empty" | "absent" {
  const variable = env.findLast(({ name }) => name === AESM_VARIABLE);
  if (variable === undefined) return "absent";
  const fromElsewhere = variable.valueFrom !== undefined && variable.valueFrom !== null;
  return fromElsewhere || (typeof variable.value === "string" && variable.value !== "") ? "set" : "empty";
}

/** How each container that wants quotes gets them. Refusals are added to `refusals`; the roles are then of no use. */
export function quoteRoles(
  containers: readonly QuotingContainer[],
  provider: QuoteProvider | undefined,
  refusals: Refusal[],
  warn: Warn,
): QuoteRoles {
  const roles = new Map<ContainerView, QuoteRole>();
  const everyEpc = provider?.value === AESMD;
  const aesm = everyEpc ? containers.find(({ container }) => isAesm(container)) : undefined;
  for (const { container, epc } of containers) {
    if (container === aesm?.container) continue;
    const variable = aesmVariable(container);
    const byAnnotation = everyEpc && epc > 0n && variable !== "empty";
    const optedIn = variable === "set" || byAnnotation;
    const inProcess = provider !== undefined && !everyEpc && provider.value === container.name;
    const how = variable === "set" ? AESM_VARIABLE : byAnnotation ? `the annotation ${provider.annotation}` : undefined;
    const refusal = bothModes(container, inProcess ? provider.annotation : undefined, how);
    if (refusal !== undefined) refusals.push(refusal);
    if (inProcess) roles.set(container, "in-process");
    else if (optedIn) roles.set(container, aesm === undefined ? "helper" : "sidecar-client");
  }
  if (aesm !== undefined) roles.set(aesm.container, roles.size > 0 ? "sidecar" : "node-aesm");
  warnOfProvider(containers, provider, roles, warn);
  return roles;
}

/** An ordinary init container ends before anybody could ask it. */
function isAesm({ name, kind }: ContainerView): boolean {
  return name === AESMD && kind !== "init";
}

/** `annotation` makes the container quote in-process, `optedIn` out-of-process. */
function bothModes(
  container: ContainerView,
  annotation: string | undefined,
  optedIn: string | undefined,
): Refusal | undefined {
  const name = shown(container.name);
  // Quotes for others with the provisioning key, whoever configured it.
  if (container.name === AESMD) return undefined;
  const outOfProcess = optedIn ?? (asksFor(container, QUOTE_RESOURCE) ? QUOTE_RESOURCE : undefined);
  if (outOfProcess === undefined) return undefined;
  if (annotation !== undefined) {
    return {
      code: "BOTH_QUOTE_MODES",
      message:
        `container ${name} is to quote in-process (annotation ${annotation}) and out-of-process (${outOfProcess}): ` +
        `for quotes of the node's helper set the annotation to "${AESMD}", for its own take ${outOfProcess} away`,
    };
  }
  if (!asksFor(container, PROVISION_RESOURCE)) return undefined;
  return {
    code: "PROVISION_WITH_OPT_IN",
    message:
      `container ${name} asks for ${PROVISION_RESOURCE} and for out-of-process quotes (${outOfProcess}), which need no ` +
      `provisioning key: take ${PROVISION_RESOURCE} away, or ${outOfProcess} where it quotes in-process`,
  };
}

function warnOfProvider(
  containers: readonly QuotingContainer[],
  provider: QuoteProvider | undefined,
  roles: QuoteRoles,
  warn: Warn,
): void {
  if (provider === undefined) return;
  const { annotation, value } = provider;
  if (value !== AESMD && !containers.some(({ container }) => container.name === value)) {
    warn(`${annotation}: no container is called ${shown(value)}; write "${AESMD}" or a container's name`);
  }
  if (value === AESMD && roles.size === 0) {
    warn(`${annotation}: "${AESMD}" changes nothing, for no container asks for EPC`);
  }
  for (const { container, epc } of containers) {
    const role = roles.get(container);
    if (epc > 0n || role === undefined || role === "helper" || role === "sidecar-client") continue;
    warn(`${annotation}: container ${shown(container.name)} asks for no EPC, so it gets no provisioning key`);
  }
}
