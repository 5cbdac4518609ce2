import { AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE } from "@confcom/kubernetes";

export const MIB = 2 ** 20;

export type EpcName = "azure" | "intel";

/** What a pod writes, and what it holds where `scheduled` is the name that the cluster schedules. */
export interface EpcRequest {
  readonly written: EpcName;
  /** MiB where `written` is azure, else bytes. */
  readonly amount: number;
}

export const RESOURCES: Readonly<Record<EpcName, string>> = { azure: AZURE_EPC_RESOURCE, intel: INTEL_EPC_RESOURCE };

/** The amount in units of the scheduled name: MiB are rounded up, bytes are exact. */
export function scheduledAmount({ written, amount }: EpcRequest, scheduled: EpcName): number {
  if (written === scheduled) return amount;
  return scheduled === "azure" ? Math.ceil(amount / MIB) : amount * MIB;
}

/** `count` small requests, MiB and bytes in turn; of the bytes most are no whole MiB. */
export function smallRequests(count: number): readonly EpcRequest[] {
  const mib = [3, 17, 8, 29, 11];
  const bytes = [10 * MIB + 1, 5 * MIB - 1, 16 * MIB, 21 * MIB + 4097, 4096, 33 * MIB - 511];
  return Array.from({ length: count }, (_, index) => {
    const turn = Math.floor(index / 2);
    return index % 2 === 0
      ? { written: "azure", amount: mib[turn % mib.length] as number }
      : { written: "intel", amount: bytes[turn % bytes.length] as number };
  });
}
