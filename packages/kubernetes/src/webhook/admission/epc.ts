import { AZURE_EPC_RESOURCE, ENCLAVE_RESOURCE, INTEL_EPC_RESOURCE } from "../../names.ts";
import { MIB, mibOfBytes, ONE, parseQuantity } from "../../quantity.ts";
import { containerAmount, mentions, quantityText, wholeUnits } from "./container-amount.ts";
import type { PatchBuilder } from "./json-patch.ts";
import type { ContainerView } from "./pod-view.ts";
import { type Refusal, shown } from "./refusal.ts";

/** EPC that no container of any machine can have, 1 TiB: somebody counted in another unit. */
const IMPLAUSIBLE_MIB = 1n << 20n;
/** Bytes below which somebody counted MiB: less than a page is no EPC. */
const PAGE = 4096n;

export interface EpcNames {
  /** Under which name the cluster schedules EPC: `azure` MiB, `intel` bytes. */
  readonly resourceNames: "azure" | "intel";
  /** Whether EPC gives no device by itself, so that each container with EPC needs a slot of `sgx.intel.com/enclave`. */
  readonly enclaveSlot: boolean;
}

/** An amount of EPC that can only be meant in another unit; undefined where every one is plausible. */
export function epcUnitRefusal(container: ContainerView): Refusal | undefined {
  const name = shown(container.name);
  for (const list of [container.limits, container.requests]) {
    const text = Object.hasOwn(list, AZURE_EPC_RESOURCE) ? quantityText(list[AZURE_EPC_RESOURCE]) : undefined;
    const mib = wholeUnits(text) ?? 0n;
    // The API server's own spelling of a plain number has decimal suffixes only: 100k, never 64Ki.
    if (text !== undefined && mib !== 0n && (text.endsWith("i") || mib >= IMPLAUSIBLE_MIB)) {
      const meant = abbreviated(mibOfBytes(mib));
      return {
        code: "EPC_UNIT",
        message:
          `container ${name} asks for ${text.slice(0, 32)} of ${AZURE_EPC_RESOURCE}, which counts MiB: ` +
          `that is ${abbreviated(mib)} MiB. For ${meant} MiB write "${meant}", without a unit`,
      };
    }
    const bytes = Object.hasOwn(list, INTEL_EPC_RESOURCE) ? (wholeUnits(list[INTEL_EPC_RESOURCE]) ?? 0n) : 0n;
    if (bytes >= IMPLAUSIBLE_MIB * MIB) {
      return {
        code: "EPC_UNIT",
        message:
          `container ${name} asks for ${abbreviated(bytes)} bytes of EPC (${INTEL_EPC_RESOURCE}), which no machine has. ` +
          'Write bytes with a unit, such as "64Mi"',
      };
    }
  }
  return undefined;
}

/** Numbers have up to 80 digits. */
function abbreviated(amount: bigint): string {
  const digits = String(amount);
  return digits.length <= 20 ? digits : `about 10^${digits.length - 1}`;
}

/**
 * Gives a container its EPC under the name that the cluster schedules, rounded up to the unit, in limits and requests,
 * with the enclave slot where one is needed. What the API server would refuse stays as it was written, so that the
 * API server's words name it. Answers bytes of EPC, 0 for none.
 */
export function admitEpc(container: ContainerView, names: EpcNames, patch: PatchBuilder, warn: Warn): bigint {
  const azure = names.resourceNames === "azure";
  const [native, foreign] = azure ? [AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE] : [INTEL_EPC_RESOURCE, AZURE_EPC_RESOURCE];
  const bytesOf = (amount: bigint): bigint => (azure ? amount * MIB : amount);
  warnOfTinyAmount(container, warn);

  let amount = containerAmount(container, native);
  const stranger = containerAmount(container, foreign);
  if (mentions(container, foreign) && amount !== undefined && stranger !== undefined) {
    const converted = azure ? mibOfBytes(stranger) : stranger * MIB;
    if (mentions(container, native) && converted !== amount) {
      warn(
        `container ${shown(container.name)} asks for EPC under two names and in different amounts: it gets the larger. ` +
          "Write one of the two",
      );
    }
    if (converted > amount) amount = converted;
    for (const list of ["limits", "requests"] as const) {
      const path = [...container.path, "resources", list];
      if (Object.hasOwn(container[list], foreign)) patch.remove(path, foreign);
      const spelled = azure ? String(amount) : spelledBytes(amount);
      const present = Object.hasOwn(container[list], native) && wholeUnits(container[list][native]) === amount;
      if (!present) patch.set(path, native, spelled);
    }
  }
  if (amount === undefined || amount === 0n) return 0n;
  if (names.enclaveSlot) addSlot(container, ENCLAVE_RESOURCE, patch);
  return bytesOf(amount);
}

export type Warn = (warning: string) => void;

/** One slot of a right, once. */
export function addSlot(container: ContainerView, resource: string, patch: PatchBuilder): void {
  if (mentions(container, resource)) return;
  for (const list of ["limits", "requests"]) patch.set([...container.path, "resources", list], resource, "1");
}

function spelledBytes(bytes: bigint): string {
  return bytes !== 0n && bytes % MIB === 0n ? `${bytes / MIB}Mi` : String(bytes);
}

function warnOfTinyAmount(container: ContainerView, warn: Warn): void {
  const bytes = containerAmount(container, INTEL_EPC_RESOURCE);
  if (bytes === undefined || bytes === 0n || bytes >= PAGE) return;
  warn(
    `container ${shown(container.name)} asks for ${bytes} bytes of EPC: ${INTEL_EPC_RESOURCE} counts bytes; ` +
      `for ${bytes} MiB write "${bytes}Mi"`,
  );
}

/** Whether an annotation says these bytes, in whichever spelling. */
export function saysBytes(annotation: unknown, bytes: bigint): boolean {
  return typeof annotation === "string" && parseQuantity(annotation) === bytes * ONE;
}
