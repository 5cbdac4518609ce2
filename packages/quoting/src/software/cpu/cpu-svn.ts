import { bytesEqual, fromHex, isZero } from "@confcom/sgx";
import { PlatformError } from "../../errors.ts";

/** The three security versions that the simulated CPU knows (spec: DCAP §2). */
export type CpuSvnName = "default" | "upgraded" | "downgraded";

/** 16 bytes each; Intel's SDK simulation writes these into reports. */
export const CPU_SVNS: Readonly<Record<CpuSvnName, Uint8Array>> = {
  default: fromHex("4820f3376ae6b2f2034d3b7a4b48a778"),
  upgraded: fromHex("5339ae8c93ae8f3ce432db924d0f0733"),
  downgraded: fromHex("64ea4f3fa0030c36383c322d4f3a8d4f"),
};

export const CPU_SVN_NAMES: readonly CpuSvnName[] = ["default", "upgraded", "downgraded"];

/** Names a CPUSVN (16 bytes), or undefined for a fourth value. */
export function cpuSvnName(cpuSvn: Uint8Array): CpuSvnName | undefined {
  return CPU_SVN_NAMES.find((name) => bytesEqual(CPU_SVNS[name], cpuSvn));
}

/** Reads a CPUSVN name given by a person. Fails with OPTION_INVALID. */
export function parseCpuSvnName(text: string): CpuSvnName {
  const name = CPU_SVN_NAMES.find((known) => known === text);
  if (name === undefined) {
    throw new PlatformError("OPTION_INVALID", `CPUSVN "${text}" is none of ${CPU_SVN_NAMES.join(", ")}`);
  }
  return name;
}

const DERIVABLE: Readonly<Record<CpuSvnName, readonly CpuSvnName[]>> = {
  upgraded: ["upgraded", "default", "downgraded"],
  default: ["default", "downgraded"],
  downgraded: ["downgraded"],
};

/**
 * The CPUSVN under which a platform derives a key when asked for `requested`, or undefined when it must refuse. The
 * values are not ordered byte by byte: each platform has a list of those it may go back to.
 *
 * All zero stands for the lowest TCB there ever was and derives under the default value. The SDK's simulation replaces
 * it before the comparison and so refuses it at `downgraded`; a real CPU accepts zero at every TCB, and the platform's
 * identity (PPID, QE_ID) depends on that, so it is accepted here.
 */
export function derivableCpuSvn(platform: CpuSvnName, requested: Uint8Array): Uint8Array | undefined {
  if (isZero(requested)) return CPU_SVNS.default;
  const name = cpuSvnName(requested);
  return name !== undefined && DERIVABLE[platform].includes(name) ? CPU_SVNS[name] : undefined;
}
