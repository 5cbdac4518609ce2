/** One CPUID answer: the registers after `CPUID` with EAX = leaf, ECX = subleaf. All unsigned 32-bit. */
export interface CpuidLeaf {
  readonly leaf: number;
  readonly subleaf: number;
  readonly eax: number;
  readonly ebx: number;
  readonly ecx: number;
  readonly edx: number;
}

/** What the init container wrote down: the answers, or a sentence saying why there are none. */
export type CpuidRecord = { readonly leaves: readonly CpuidLeaf[] } | { readonly unavailable: string };

export interface EpcSection {
  readonly base: number;
  readonly size: number;
}

const FORMAT = "confcom-cpuid-1";

/** Bytes that such a file may have. */
export const CPUID_FILE_LIMIT = 65_536;

/** EPC sections that a CPU may name; the kernel takes 8. */
export const MAX_EPC_SECTIONS = 64;

const REGISTERS = ["leaf", "subleaf", "eax", "ebx", "ecx", "edx"] as const;

export function encodeCpuidFile(record: CpuidRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, ...record }, null, 1)}\n`);
}

/** Throws an Error that says what is wrong with the file. */
export function decodeCpuidFile(bytes: Uint8Array): CpuidRecord {
  if (bytes.length > CPUID_FILE_LIMIT) throw new Error(`${bytes.length} bytes, more than ${CPUID_FILE_LIMIT}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Error("no JSON text (was it written whole?)", { cause });
  }
  const fields = asObject(value);
  if (fields?.format !== FORMAT) throw new Error(`format is not ${FORMAT}`);
  if (typeof fields.unavailable === "string") return { unavailable: fields.unavailable.slice(0, 500) };
  const { leaves } = fields;
  if (!Array.isArray(leaves) || leaves.length > MAX_EPC_SECTIONS + 8)
    throw new Error("leaves is no list of CPUID leaves");
  return { leaves: leaves.map(decodeLeaf) };
}

function decodeLeaf(value: unknown): CpuidLeaf {
  const fields = asObject(value);
  const registers = REGISTERS.map((name) => {
    const register = fields?.[name];
    if (typeof register !== "number" || !Number.isInteger(register) || register < 0 || register > 0xffff_ffff) {
      throw new Error(`${name} of a CPUID leaf is no 32-bit number`);
    }
    return [name, register] as const;
  });
  return Object.fromEntries(registers) as unknown as CpuidLeaf;
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

/**
 * The EPC sections of leaf 0x12, subleaves 2 and up to the first that is none (spec: Kubernetes §2), or a sentence
 * saying what the CPU lacks. Base and size are 52-bit numbers of bytes.
 */
export function epcSections(leaves: readonly CpuidLeaf[]): readonly EpcSection[] | string {
  const answer = (leaf: number, subleaf: number) => leaves.find((one) => one.leaf === leaf && one.subleaf === subleaf);
  const features = answer(7, 0);
  if (features === undefined || (features.ebx & 4) === 0) return "the CPU has no SGX (CPUID 7: EBX bit 2 is 0)";
  const sgx = answer(0x12, 0);
  if (sgx === undefined || (sgx.eax & 3) === 0) return "SGX is switched off (CPUID 0x12: neither SGX1 nor SGX2)";
  const sections: EpcSection[] = [];
  for (let subleaf = 2; subleaf < 2 + MAX_EPC_SECTIONS; subleaf++) {
    const section = answer(0x12, subleaf);
    if (section === undefined || (section.eax & 0xf) === 0) break;
    if ((section.eax & 0xf) !== 1) continue;
    const base = address(section.eax, section.ebx);
    // A section that is named twice is one section: each socket may answer for the whole machine.
    if (!sections.some((known) => known.base === base))
      sections.push({ base, size: address(section.ecx, section.edx) });
  }
  return sections;
}

/** Bits 31:12 of the low register and 19:0 of the high one. */
function address(low: number, high: number): number {
  return (high & 0xf_ffff) * 2 ** 32 + ((low & 0xffff_f000) >>> 0);
}
