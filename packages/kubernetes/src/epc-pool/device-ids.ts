/** Ids of at most three characters: as many MiB as Azure's largest SGX machine has (spec: Kubernetes §4.5, §7.1). */
export const MAX_EPC_DEVICES = 262_144;

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES: ReadonlyMap<string, number> = new Map([...DIGITS].map((digit, value) => [digit, value]));

/**
 * The id of EPC device `index`: the number in base 64 with the digits of base64url, without leading zeros, 1 to 3
 * characters. Every character that an id has costs as many bytes of the kubelet's 4 MiB as there are devices.
 */
export function epcDeviceId(index: number): string {
  if (!Number.isInteger(index) || index < 0 || index >= MAX_EPC_DEVICES) {
    throw new RangeError(`EPC device ${index} is not 0 to ${MAX_EPC_DEVICES - 1}`);
  }
  const last = DIGITS[index & 63] as string;
  if (index < 64) return last;
  const middle = DIGITS[(index >> 6) & 63] as string;
  if (index < 4096) return middle + last;
  return (DIGITS[index >> 12] as string) + middle + last;
}

/** The index that an id means, or undefined when it is not one of ours. */
export function epcDeviceIndex(id: string): number | undefined {
  if (id.length < 1 || id.length > 3 || (id.length > 1 && id[0] === "A")) return undefined;
  let index = 0;
  for (let i = 0; i < id.length; i++) {
    const value = VALUES.get(id[i] as string);
    if (value === undefined) return undefined;
    index = index * 64 + value;
  }
  return index;
}
