import { dateField, hexField, intField, signatureBytes, stringField, uintField } from "../json/fields.ts";
import { JsonObject } from "../json/value.ts";
import type { Signed } from "../x509/certificate.ts";
import { readSignedJson, signedDocument } from "./signed-json.ts";
import { formatError, valueError } from "./tcb-info-errors.ts";
import { readTcbLevels, required, type TcbLevel } from "./tcb-level.ts";
import { readTdxModule, readTdxModuleIdentities, type TdxModule, type TdxModuleIdentity } from "./tdx-module.ts";

/** A TCB info, version 2 or 3 (spec: DCAP §9). */
export interface TcbInfo extends Signed {
  readonly version: 2 | 3;
  readonly id: "SGX" | "TDX";
  /** Seconds since 1970. */
  readonly issueDate: number;
  readonly nextUpdate: number;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  readonly tcbEvaluationDataNumber: number;
  /** For TDX only. */
  readonly tdxModule: TdxModule | undefined;
  readonly tdxModuleIdentities: readonly TdxModuleIdentity[];
  /** Highest first. */
  readonly tcbLevels: readonly TcbLevel[];
}

function readTdxParts(info: JsonObject, tdx: boolean): Pick<TcbInfo, "tdxModule" | "tdxModuleIdentities"> {
  const tdxModule = info.get("tdxModule");
  const identities = info.get("tdxModuleIdentities");
  if (!tdx) {
    if (tdxModule !== undefined || identities !== undefined) valueError("one for SGX has TDX module fields");
    return { tdxModule: undefined, tdxModuleIdentities: [] };
  }
  if (tdxModule === undefined) return valueError("one for TDX lacks tdxModule");
  return { tdxModule: readTdxModule(tdxModule), tdxModuleIdentities: readTdxModuleIdentities(identities) };
}

/**
 * Parses {"tcbInfo":{…},"signature":"…"}. Checks and their order are the reference verifier's; the signature itself is
 * not checked here. Throws Rejection `STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT` or `STATUS_SGX_TCB_INFO_INVALID`.
 */
export function parseTcbInfo(json: Uint8Array): TcbInfo {
  const document = readSignedJson(json, "tcbInfo", 25);
  const info = document?.body;
  if (document === undefined || !(info instanceof JsonObject)) return formatError("not a JSON object with a tcbInfo");
  if (document.signature === undefined) return valueError("the signature is missing");
  const version = required(uintField(info, "version"), "version");
  if (version !== 2 && version !== 3) return valueError(`version ${version} is not 2 or 3`);
  const id = version === 3 ? required(stringField(info, "id"), "id") : "SGX";
  if (id !== "SGX" && id !== "TDX") return valueError(`the id "${id}" is not SGX or TDX`);
  const issueDate = required(dateField(info, "issueDate"), "issueDate");
  const nextUpdate = required(dateField(info, "nextUpdate"), "nextUpdate");
  const fmspc = required(hexField(info, "fmspc", 6), "fmspc");
  const pceId = required(hexField(info, "pceId", 2), "pceId");
  const signature = signatureBytes(document.signature);
  if (signature === undefined) return valueError("the signature is not 128 hexadecimal digits");
  const levels = info.get("tcbLevels");
  if (levels === undefined) return valueError("the field tcbLevels is missing");
  const tcbType = required(intField(info, "tcbType"), "tcbType");
  if (tcbType !== 0) return valueError(`the TCB type ${tcbType} is not 0`);
  const tcbEvaluationDataNumber = required(uintField(info, "tcbEvaluationDataNumber"), "tcbEvaluationDataNumber");
  const tdxParts = version === 3 ? readTdxParts(info, id === "TDX") : { tdxModule: undefined, tdxModuleIdentities: [] };
  const tcbLevels = readTcbLevels(levels, version, id === "TDX");
  return {
    ...signedDocument(document, signature),
    version,
    id,
    issueDate,
    nextUpdate,
    fmspc,
    pceId,
    tcbEvaluationDataNumber,
    ...tdxParts,
    tcbLevels,
  };
}
