import { effectiveRequest } from "../../effective-request.ts";
import { EPC_ANNOTATION } from "../../names.ts";
import { AesmDirectories, volumesByName } from "./aesm-directory.ts";
import { admitEpc, type EpcNames, epcUnitRefusal, saysBytes } from "./epc.ts";
import { type JsonPatchOperation, PatchBuilder } from "./json-patch.ts";
import { podView } from "./pod-view.ts";
import { provideQuotes, type QuoteOptions } from "./provide-quotes.ts";
import { quoteProvider } from "./quote-provider.ts";
import { quoteRoles } from "./quote-roles.ts";
import type { Refusal } from "./refusal.ts";
import { sidecarRefusals } from "./sidecar.ts";

/** What the installation has decided about pods. */
export interface AdmissionOptions extends EpcNames, QuoteOptions {}

export interface Admission {
  /** Empty where nothing is to be changed, and where the pod is refused. */
  readonly patch: readonly JsonPatchOperation[];
  /** At most {@link WARNING_LIMIT}. */
  readonly warnings: readonly string[];
  readonly refusal?: Refusal;
}

/** Warnings for one pod. */
export const WARNING_LIMIT = 16;
/** Containers of a pod that is looked at: each takes some microseconds, in which other pods wait. */
const CONTAINER_LIMIT = 1_000;
/** Refusals that one message tells. */
const REFUSAL_LIMIT = 4;

/**
 * What a new pod gets that it did not write (docs/webhook.md, spec: Kubernetes §2, §8): EPC under the name that the
 * cluster schedules, its enclave slot, and for those who want quotes the slot or the mount. Only limits, requests, env,
 * volume mounts, volumes and one annotation change; admitting the result again changes nothing. Never throws: what is
 * no pod is left to the API server.
 */
export function admitPod(pod: unknown, options: AdmissionOptions): Admission {
  const view = podView(pod);
  if (view === undefined) return { patch: [], warnings: [] };
  if (view.containers.length > CONTAINER_LIMIT) {
    return { patch: [], warnings: [`a pod of more than ${CONTAINER_LIMIT} containers is not looked at`] };
  }
  const warnings = new Set<string>();
  const warn = (warning: string): void => {
    if (warnings.size < WARNING_LIMIT) warnings.add(warning);
  };
  const refusals = view.containers.flatMap((container) => epcUnitRefusal(container) ?? []);
  const provider = quoteProvider(view);
  if (provider !== undefined && "code" in provider) refusals.push(provider);
  if (refusals.length > 0 || (provider !== undefined && "code" in provider)) return refused(refusals, warnings);

  const patch = new PatchBuilder(pod);
  const directories = new AesmDirectories(options.aesmDirectory);
  const volumes = volumesByName(view);
  const containers = view.containers.map((container) => ({
    container,
    kind: container.kind,
    epc: admitEpc(container, options, patch, warn),
    mount: directories.mountOf(container, volumes),
  }));
  const roles = quoteRoles(containers, provider, refusals, warn);
  refusals.push(...sidecarRefusals(containers, roles));
  if (refusals.length > 0) return refused(refusals, warnings);

  provideQuotes(view, containers, roles, directories, options, patch, warn);
  // Kata makes the virtual machine's EPC of it.
  const epc = effectiveRequest(containers, (container) => container.epc);
  if (epc > 0n && !saysBytes(view.annotations[EPC_ANNOTATION], epc)) {
    patch.set(["metadata", "annotations"], EPC_ANNOTATION, String(epc));
  }
  return { patch: patch.operations, warnings: [...warnings] };
}

/** All of them at once: a manifest is then corrected once. */
function refused(refusals: readonly Refusal[], warnings: ReadonlySet<string>): Admission {
  const told = refusals.slice(0, REFUSAL_LIMIT).map(({ message }) => message);
  if (refusals.length > told.length) told.push(`and ${refusals.length - told.length} more`);
  const [first] = refusals;
  return {
    patch: [],
    warnings: [...warnings],
    ...(first === undefined ? {} : { refusal: { code: first.code, message: told.join("; ") } }),
  };
}
