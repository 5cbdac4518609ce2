import { DerError } from "./der/errors.ts";
import { DerReader } from "./der/reader.ts";
import { DER_TAG } from "./der/tags.ts";
import { derBoolean, derInteger, derOctetString, derOid, derSequence } from "./der/writer.ts";
import { SgxFormatError } from "./errors.ts";

/** Object identifier of the SGX extension of a PCK certificate (spec: DCAP §8). */
export const PCK_EXTENSION_OID = "1.2.840.113741.1.13.1";

/** What the platform is, the extension's SGX Type. */
export const SGX_TYPE = { STANDARD: 0, SCALABLE: 1, SCALABLE_WITH_INTEGRITY: 2 } as const;

/** The TCB a PCK certificate stands for. */
export interface PckTcb {
  /** 16 values of 0 to 255. Larger INTEGERs are cut to 8 bits, as the reference verifier does; see `cutComponents`. */
  readonly components: Uint8Array;
  /** Read as an unsigned 32-bit number; real ones fit 16 bits. */
  readonly pceSvn: number;
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
}

/** Present in certificates of the Platform CA only. */
export interface PckPlatform {
  /** 16 bytes. */
  readonly platformInstanceId: Uint8Array;
  readonly dynamicPlatform: boolean;
  readonly cachedKeys: boolean;
  readonly smtEnabled: boolean;
}

/** The SGX extension of a PCK certificate (spec: DCAP §8). */
export interface PckExtension {
  /** 16 bytes: names the physical platform. */
  readonly ppid: Uint8Array;
  readonly tcb: PckTcb;
  /** 2 bytes, in the order of TCB info's `pceId` text. */
  readonly pceId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  readonly sgxType: number;
  readonly platform?: PckPlatform;
}

export interface DecodedPckExtension extends PckExtension {
  /** 5 for the Processor CA, 7 for the Platform CA. */
  readonly elementCount: 5 | 7;
  /** Why a 7-element extension has no `platform`: only who needs those fields refuses it, as in the reference verifier. */
  readonly platformProblem?: string;
  /** TCB components (1 to 16) and PCESVN (17) whose INTEGER did not fit its field and was cut. */
  readonly cutComponents: readonly number[];
}

/** 1.2.840.113741.1.13.1 as content bytes; the elements' identifiers continue it. */
const PREFIX = Uint8Array.of(0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01);
const BUDGET = { depth: 8, elements: 400 };
const ALL_TCB = (1 << 18) - 1;

function refuse(detail: string, cause?: unknown): never {
  throw new SgxFormatError("PCK_EXTENSION", detail, cause === undefined ? undefined : { cause });
}

function readOctets(reader: DerReader, size: number, name: string): Uint8Array {
  const bytes = reader.octetString();
  if (bytes.length !== size) refuse(`${name} is ${size} bytes, got ${bytes.length}`);
  return bytes;
}

interface PartialExtension {
  ppid?: Uint8Array;
  tcb?: PckTcb;
  pceId?: Uint8Array;
  fmspc?: Uint8Array;
  sgxType?: number;
  platformInstanceId?: Uint8Array;
  flags?: { dynamicPlatform: boolean; cachedKeys: boolean; smtEnabled: boolean };
  problem?: string;
  cut: number[];
}

/** An INTEGER kept to its low bits; one over 64 bits counts as -1. That is what the reference verifier makes of them. */
function cutInteger(reader: DerReader, bits: 8 | 32, index: number, cut: number[]): number {
  const value = reader.integerIfSmall();
  const limit = 2 ** bits;
  if (value !== undefined && value >= 0 && value < limit) return value;
  cut.push(index);
  if (value !== undefined) return ((value % limit) + limit) % limit;
  const bytes = reader.content();
  if (bytes.length > 8) return limit - 1;
  return bytes.subarray(-bits / 8).reduce((low, byte) => low * 256 + byte, 0);
}

function readTcb(reader: DerReader, cut: number[]): PckTcb {
  const components = new Uint8Array(16);
  let pceSvn = 0;
  let cpuSvn: Uint8Array | undefined;
  let seen = 0;
  let count = 0;
  reader.open(DER_TAG.SEQUENCE);
  while (!reader.done) {
    if (++count > 18) refuse("the TCB has more than 18 elements");
    reader.open(DER_TAG.SEQUENCE);
    const index = reader.oidAfter(PREFIX) - 2 * 256;
    if (index >= 1 && index <= 16) components[index - 1] = cutInteger(reader, 8, index, cut);
    else if (index === 17) pceSvn = cutInteger(reader, 32, 17, cut);
    else if (index === 18) cpuSvn = readOctets(reader, 16, "CPUSVN");
    else reader.skip();
    if (index >= 1 && index <= 18) seen |= 1 << (index - 1);
    reader.close();
  }
  reader.close();
  if (count !== 18) refuse(`the TCB has ${count} elements instead of 18`);
  if (seen !== ALL_TCB || cpuSvn === undefined) refuse("the TCB lacks a component, the PCESVN or the CPUSVN");
  return { components, pceSvn, cpuSvn };
}

/** The one place where more than DER is read: certificates with 01 for TRUE exist, and the reference verifier takes them. */
function readFlag(reader: DerReader): boolean {
  reader.element(DER_TAG.BOOLEAN);
  const content = reader.content();
  if (content.length !== 1) return refuse("a flag of the configuration is not one byte");
  return content[0] !== 0;
}

function readConfiguration(reader: DerReader): { dynamicPlatform: boolean; cachedKeys: boolean; smtEnabled: boolean } {
  const flags: (boolean | undefined)[] = [undefined, undefined, undefined];
  reader.open(DER_TAG.SEQUENCE);
  while (!reader.done) {
    reader.open(DER_TAG.SEQUENCE);
    const index = reader.oidAfter(PREFIX) - 7 * 256;
    if (index >= 1 && index <= 3) flags[index - 1] = readFlag(reader);
    else reader.skip();
    reader.close();
  }
  reader.close();
  const [dynamicPlatform, cachedKeys, smtEnabled] = flags;
  if (dynamicPlatform === undefined || cachedKeys === undefined || smtEnabled === undefined) {
    return refuse("the configuration lacks one of its three flags");
  }
  return { dynamicPlatform, cachedKeys, smtEnabled };
}

/** Platform fields are read on the side: what is wrong with them is remembered, not thrown. */
function readPlatformField(element: Uint8Array, suffix: number, out: PartialExtension): void {
  try {
    const reader = new DerReader(element, BUDGET);
    if (suffix === 6) out.platformInstanceId = readOctets(reader, 16, "the platform instance ID");
    else out.flags = readConfiguration(reader);
  } catch (error) {
    if (!(error instanceof DerError || error instanceof SgxFormatError)) throw error;
    out.problem = error.message;
  }
}

function readElement(reader: DerReader, out: PartialExtension): void {
  reader.open(DER_TAG.SEQUENCE);
  const suffix = reader.oidAfter(PREFIX);
  if (suffix === 1) out.ppid = readOctets(reader, 16, "PPID");
  else if (suffix === 2) out.tcb = readTcb(reader, out.cut);
  else if (suffix === 3) out.pceId = readOctets(reader, 2, "PCE-ID");
  else if (suffix === 4) out.fmspc = readOctets(reader, 6, "FMSPC");
  else if (suffix === 5) out.sgxType = reader.smallInteger(DER_TAG.ENUMERATED);
  else {
    reader.skip();
    if (suffix === 6 || suffix === 7) readPlatformField(reader.encoded(), suffix, out);
  }
  reader.close();
}

/**
 * Reads the value of the SGX extension: the DER inside the extension's OCTET STRING. Order is free, unknown elements
 * are counted and ignored, a repeated element replaces the earlier one. Byte fields are views of the input.
 * Throws SgxFormatError `PCK_EXTENSION`.
 */
export function decodePckExtension(der: Uint8Array): DecodedPckExtension {
  const out: PartialExtension = { cut: [] };
  let count = 0;
  try {
    const reader = new DerReader(der, BUDGET);
    reader.open(DER_TAG.SEQUENCE);
    while (!reader.done) {
      if (++count > 7) refuse("the SGX extension has more than 7 elements");
      readElement(reader, out);
    }
    reader.close();
    reader.finish();
  } catch (error) {
    if (error instanceof DerError) refuse(`the SGX extension is not valid DER: ${error.message}`, error);
    throw error;
  }
  if (count !== 5 && count !== 7) return refuse(`the SGX extension has ${count} elements instead of 5 or 7`);
  const { ppid, tcb, pceId, fmspc, sgxType, platformInstanceId, flags } = out;
  if (ppid === undefined || tcb === undefined || pceId === undefined || fmspc === undefined || sgxType === undefined) {
    return refuse("the SGX extension lacks PPID, TCB, PCE-ID, FMSPC or SGX Type");
  }
  const decoded = { ppid, tcb, pceId, fmspc, sgxType, elementCount: count, cutComponents: out.cut } as const;
  if (count === 5) return decoded;
  if (platformInstanceId !== undefined && flags !== undefined && out.problem === undefined) {
    return { ...decoded, platform: { platformInstanceId, ...flags } };
  }
  return { ...decoded, platformProblem: out.problem ?? "the platform instance ID or the configuration is missing" };
}

function pair(suffix: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(`${PCK_EXTENSION_OID}.${suffix}`), value);
}

function octets(suffix: string, bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length !== size) refuse(`element .${suffix} is ${size} bytes, got ${bytes.length}`);
  return pair(suffix, derOctetString(bytes));
}

/** Writes the extension's value: 7 elements with `platform`, otherwise 5. Throws SgxFormatError `PCK_EXTENSION`. */
export function encodePckExtension(extension: PckExtension): Uint8Array {
  const { tcb, platform } = extension;
  if (tcb.components.length !== 16) refuse(`the TCB has 16 components, got ${tcb.components.length}`);
  if (!Number.isInteger(tcb.pceSvn) || tcb.pceSvn < 0 || tcb.pceSvn > 0xffff) refuse("PCESVN does not fit 16 bits");
  const elements = [
    octets("1", extension.ppid, 16),
    pair(
      "2",
      derSequence(
        ...Array.from(tcb.components, (svn, i) => pair(`2.${i + 1}`, derInteger(svn))),
        pair("2.17", derInteger(tcb.pceSvn)),
        octets("2.18", tcb.cpuSvn, 16),
      ),
    ),
    octets("3", extension.pceId, 2),
    octets("4", extension.fmspc, 6),
    pair("5", derInteger(extension.sgxType, DER_TAG.ENUMERATED)),
  ];
  if (platform !== undefined) {
    elements.push(
      octets("6", platform.platformInstanceId, 16),
      pair(
        "7",
        derSequence(
          pair("7.1", derBoolean(platform.dynamicPlatform)),
          pair("7.2", derBoolean(platform.cachedKeys)),
          pair("7.3", derBoolean(platform.smtEnabled)),
        ),
      ),
    );
  }
  return derSequence(...elements);
}
