import { BUDGETS } from "../budgets.ts";
import { dateField, type Field, stringField, stringListField, uintField } from "../json/fields.ts";
import { JsonObject, type JsonValue } from "../json/value.ts";
import { formatError, valueError } from "./tcb-info-errors.ts";
import { isTcbStatus, type TcbStatus } from "./tcb-status.ts";

/** One TCB level of a TCB info (spec: DCAP §9). */
export interface TcbLevel {
  /** 16 SVNs. The reference verifier cuts larger numbers to 8 bits, and so does this. */
  readonly sgxComponents: Uint8Array;
  readonly pceSvn: number;
  /** 16 SVNs in a TCB info for TDX. */
  readonly tdxComponents: Uint8Array | undefined;
  /** Seconds since 1970. */
  readonly tcbDate: number;
  readonly tcbStatus: TcbStatus;
  readonly advisoryIds: readonly string[];
  /** Whether a component was over 255 and cut. */
  readonly cut: boolean;
}

/** Value of a required field, or the two refusals for its absence and for its being wrong. */
export function required<T>(field: Field<T>, name: string, wrong: (detail: string) => never = valueError): T {
  if (field.ok) return field.value;
  return field.missing ? formatError(`the field ${name} is missing`) : wrong(`the field ${name} has a wrong value`);
}

function readComponents(tcb: JsonObject, name: string): { svns: Uint8Array; cut: boolean } {
  const list = tcb.get(name);
  if (!Array.isArray(list) || list.length !== 16) return formatError(`${name} is not a list of 16 components`);
  const svns = new Uint8Array(16);
  let cut = false;
  (list as readonly JsonValue[]).forEach((component, i) => {
    if (!(component instanceof JsonObject)) formatError(`a component of ${name} is not an object`);
    const svn = required(uintField(component, "svn"), "svn", formatError);
    for (const text of ["category", "type"]) {
      const field = stringField(component, text);
      if (!field.ok && !field.missing) formatError(`the field ${text} of a component is not text`);
    }
    svns[i] = svn;
    cut ||= svn > 255;
  });
  return { svns, cut };
}

/** Version 2 names its 16 components one by one. */
function readNamedComponents(tcb: JsonObject): { svns: Uint8Array; cut: boolean } {
  const svns = new Uint8Array(16);
  let cut = false;
  for (let i = 0; i < 16; i++) {
    const name = `sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`;
    const svn = required(uintField(tcb, name), name);
    svns[i] = svn;
    cut ||= svn > 255;
  }
  return { svns, cut };
}

/** Reads one level of a version 2 or 3 TCB info. Throws Rejection `STATUS_SGX_TCB_INFO_…`. */
export function readTcbLevel(level: JsonValue, version: 2 | 3, tdx: boolean): TcbLevel {
  if (!(level instanceof JsonObject)) return formatError("a TCB level is not an object");
  const tcbDate = required(dateField(level, "tcbDate"), "tcbDate");
  const advisories = stringListField(level, "advisoryIDs");
  if (!advisories.ok && !advisories.missing) valueError("the field advisoryIDs is not a list of texts");
  const tcbStatus = required(stringField(level, "tcbStatus"), "tcbStatus", formatError);
  if (!isTcbStatus(tcbStatus)) return valueError(`the TCB status "${tcbStatus}" is unknown`);
  const tcb = level.get("tcb");
  if (!(tcb instanceof JsonObject)) return formatError("the field tcb of a TCB level is not an object");
  const common = { tcbDate, tcbStatus, advisoryIds: advisories.ok ? advisories.value : [] };
  if (version === 2) {
    const { svns, cut } = readNamedComponents(tcb);
    const pceSvn = required(uintField(tcb, "pcesvn"), "pcesvn", formatError);
    return { ...common, sgxComponents: svns, pceSvn, tdxComponents: undefined, cut };
  }
  const pceSvn = required(uintField(tcb, "pcesvn"), "pcesvn", formatError);
  const sgx = readComponents(tcb, "sgxtcbcomponents");
  const tdxComponents = tdx ? readComponents(tcb, "tdxtcbcomponents") : undefined;
  return {
    ...common,
    sgxComponents: sgx.svns,
    pceSvn,
    tdxComponents: tdxComponents?.svns,
    cut: sgx.cut || (tdxComponents?.cut ?? false),
  };
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < 16; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Components first, then PCESVN, then for TDX its components: the order in which levels are tried, highest first. */
function compareLevels(a: TcbLevel, b: TcbLevel): number {
  const sgx = compareBytes(a.sgxComponents, b.sgxComponents);
  if (sgx !== 0) return sgx;
  if (a.pceSvn !== b.pceSvn) return a.pceSvn - b.pceSvn;
  return a.tdxComponents !== undefined && b.tdxComponents !== undefined
    ? compareBytes(a.tdxComponents, b.tdxComponents)
    : 0;
}

/** Reads the list of levels, highest first; the JSON's order does not matter (spec: DCAP §10 D 8). */
export function readTcbLevels(list: JsonValue | undefined, version: 2 | 3, tdx: boolean): readonly TcbLevel[] {
  if (!Array.isArray(list)) return valueError("the field tcbLevels is not a list");
  if (list.length > BUDGETS.tcbLevels) return valueError(`there are ${list.length} TCB levels`);
  const levels = (list as readonly JsonValue[]).map((level) => readTcbLevel(level, version, tdx));
  if (levels.length === 0) return valueError("there are no TCB levels");
  levels.sort((a, b) => compareLevels(b, a));
  for (let i = 1; i < levels.length; i++) {
    if (compareLevels(levels[i - 1] as TcbLevel, levels[i] as TcbLevel) === 0) valueError("a TCB level appears twice");
  }
  return levels;
}
