import { BUDGETS } from "../budgets.ts";
import { dateField, hexField, intField, stringField, stringListField } from "../json/fields.ts";
import { JsonObject, type JsonValue } from "../json/value.ts";
import { formatError, valueError } from "./tcb-info-errors.ts";
import { required } from "./tcb-level.ts";

/** Who signs a TDX module and with what attributes it runs (spec: DCAP §9). */
export interface TdxModule {
  /** 48 bytes. */
  readonly mrSigner: Uint8Array;
  /** 8 bytes. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
}

export interface TdxModuleTcbLevel {
  readonly isvSvn: number;
  readonly tcbDate: number;
  /** Any text: an unknown one is refused only when this level is the one that matches. */
  readonly tcbStatus: string;
  readonly advisoryIds: readonly string[];
}

/** One major version of the TDX module, `id` "TDX_01" and so on; levels are ordered highest first. */
export interface TdxModuleIdentity extends TdxModule {
  readonly id: string;
  readonly tcbLevels: readonly TdxModuleTcbLevel[];
}

function text<T>(field: Parameters<typeof required<T>>[0], name: string): T {
  return required(field, name, formatError);
}

export function readTdxModule(value: JsonValue): TdxModule {
  if (!(value instanceof JsonObject)) return formatError("tdxModule is not an object");
  return {
    mrSigner: text(hexField(value, "mrsigner", 48), "mrsigner"),
    attributes: text(hexField(value, "attributes", 8), "attributes"),
    attributesMask: text(hexField(value, "attributesMask", 8), "attributesMask"),
  };
}

function readModuleLevel(value: JsonValue): TdxModuleTcbLevel {
  if (!(value instanceof JsonObject)) return formatError("a TDX module level is not an object");
  const tcb = value.get("tcb");
  if (!(tcb instanceof JsonObject)) return formatError("the field tcb of a TDX module level is not an object");
  const isvSvn = text(intField(tcb, "isvsvn"), "isvsvn");
  if (isvSvn < 0 || isvSvn > 0xffff) return formatError("the ISVSVN of a TDX module level does not fit 16 bits");
  const advisories = stringListField(value, "advisoryIDs");
  if (!advisories.ok && !advisories.missing) return formatError("the field advisoryIDs is not a list of texts");
  return {
    isvSvn,
    tcbDate: text(dateField(value, "tcbDate"), "tcbDate"),
    tcbStatus: text(stringField(value, "tcbStatus"), "tcbStatus"),
    advisoryIds: advisories.ok ? advisories.value : [],
  };
}

function readModuleIdentity(value: JsonValue): TdxModuleIdentity {
  if (!(value instanceof JsonObject)) return formatError("a TDX module identity is not an object");
  const id = text(stringField(value, "id"), "id");
  const module = readTdxModule(value);
  const list = value.get("tcbLevels");
  if (!Array.isArray(list) || list.length === 0 || list.length > BUDGETS.tcbLevels) {
    return formatError("the levels of a TDX module identity are not a list of some");
  }
  const tcbLevels = (list as readonly JsonValue[]).map(readModuleLevel).sort((a, b) => b.isvSvn - a.isvSvn);
  if (tcbLevels.some((level, i) => i > 0 && tcbLevels[i - 1]?.isvSvn === level.isvSvn)) {
    return formatError("a TDX module level appears twice");
  }
  return { ...module, id, tcbLevels };
}

/** The optional list of module identities of a TCB info for TDX. */
export function readTdxModuleIdentities(value: JsonValue | undefined): readonly TdxModuleIdentity[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length === 0 || value.length > BUDGETS.tdxModuleIdentities) {
    return valueError("tdxModuleIdentities is not a list of some");
  }
  return (value as readonly JsonValue[]).map(readModuleIdentity);
}
