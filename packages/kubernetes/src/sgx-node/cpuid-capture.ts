import fs from "node:fs";
import { KubernetesError, messageOf } from "../errors.ts";
import { type CpuidLeaf, type CpuidRecord, encodeCpuidFile, MAX_EPC_SECTIONS } from "./cpuid-file.ts";
import { errorCode, resolveHostPath } from "./host-file-system.ts";
import { nodeHostFileSystem } from "./node-host-file-system.ts";

const CPUID_DEVICE = "/dev/cpu/0/cpuid";

/** Answers one CPUID question with 16 bytes: EAX, EBX, ECX, EDX, little-endian. Throws when it cannot. */
export type ReadCpuid = (leaf: number, subleaf: number) => Uint8Array;

/** Asks for what {@link epcSections} needs. A CPU without SGX, or one that cannot be asked, is a record too, not an error. */
export function captureCpuid(read: ReadCpuid): CpuidRecord {
  const leaves: CpuidLeaf[] = [];
  const ask = (leaf: number, subleaf: number): CpuidLeaf => {
    const bytes = read(leaf, subleaf);
    if (bytes.length !== 16) throw new Error(`CPUID ${leaf}.${subleaf} gave ${bytes.length} bytes, not 16`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
    const register = (offset: number) => view.getUint32(offset, true);
    const answer = { leaf, subleaf, eax: register(0), ebx: register(4), ecx: register(8), edx: register(12) };
    leaves.push(answer);
    return answer;
  };
  try {
    const highest = ask(0, 0).eax;
    if (highest >= 7) ask(7, 0);
    // Beyond its highest leaf a CPU answers with the highest one's registers, which would look like EPC.
    if (highest >= 0x12) {
      ask(0x12, 0);
      for (let subleaf = 2; subleaf < 2 + MAX_EPC_SECTIONS; subleaf++) {
        if ((ask(0x12, subleaf).eax & 0xf) === 0) break;
      }
    }
    return { leaves };
  } catch (error) {
    return { unavailable: `CPUID could not be read: ${messageOf(error)}` };
  }
}

/** Reads CPUID of the first CPU below `root`; the file's offset is `leaf | subleaf << 32`. Needs root and the module `cpuid`. */
export function readCpuidDevice(root: string): CpuidRecord {
  let descriptor: number;
  try {
    const { path, entry } = resolveHostPath(nodeHostFileSystem(root), CPUID_DEVICE);
    if (entry.kind !== "character device") return { unavailable: `${path} is a ${entry.kind}, not a character device` };
    descriptor = fs.openSync(`${root.replace(/\/+$/, "")}${path}`, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  } catch (error) {
    return {
      unavailable: `${CPUID_DEVICE} cannot be opened (${errorCode(error)}): is the kernel module cpuid loaded?`,
    };
  }
  try {
    return captureCpuid((leaf, subleaf) => {
      const bytes = new Uint8Array(16);
      const count = fs.readSync(descriptor, bytes, 0, 16, BigInt(leaf) | (BigInt(subleaf) << 32n));
      return bytes.subarray(0, count);
    });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Writes the record whole or not at all: a temporary file beside it, flushed, then renamed. Throws `SGX_CPUID`. */
export function writeCpuidFile(path: string, record: CpuidRecord): void {
  const temporary = `${path}.new`;
  try {
    const descriptor = fs.openSync(temporary, "w", 0o644);
    try {
      fs.writeFileSync(descriptor, encodeCpuidFile(record));
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
    fs.renameSync(temporary, path);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    throw new KubernetesError("SGX_CPUID", `${path} cannot be written (${errorCode(cause)})`, { cause });
  }
}
