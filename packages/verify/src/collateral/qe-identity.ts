import { readU32 } from "@confcom/sgx";
import { BUDGETS } from "../budgets.ts";
import { dateField, type Field, hexField, intField, signatureBytes, stringField, uintField } from "../json/fields.ts";
import { JsonObject, type JsonValue } from "../json/value.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import type { Signed } from "../x509/certificate.ts";
import { readSignedJson, signedDocument } from "./signed-json.ts";

/** Statuses that a level of a QE identity may have; the ones with hardening in them are not among them. */
const LEVEL_STATUSES = [
  "UpToDate",
  "ConfigurationNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
] as const;

export interface QeTcbLevel {
  readonly isvSvn: number;
  /** Seconds since 1970. */
  readonly tcbDate: number;
  readonly tcbStatus: (typeof LEVEL_STATUSES)[number];
}

/** An enclave identity, version 2: of the quoting enclave, or of the TD quoting enclave (spec: DCAP §9). */
export interface QeIdentity extends Signed {
  readonly id: "QE" | "QVE" | "TD_QE";
  readonly issueDate: number;
  readonly nextUpdate: number;
  readonly tcbEvaluationDataNumber: number;
  readonly miscSelect: number;
  readonly miscSelectMask: number;
  /** 16 bytes. */
  readonly attributes: Uint8Array;
  readonly attributesMask: Uint8Array;
  /** 32 bytes. */
  readonly mrSigner: Uint8Array;
  readonly isvProdId: number;
  /** In the document's order, which decides (spec: DCAP §10 D 6). */
  readonly tcbLevels: readonly QeTcbLevel[];
}

function refuse(status: QvlStatus, detail: string): never {
  throw new Rejection(status, `QE identity: ${detail}`);
}

function invalid(detail: string): never {
  return refuse("STATUS_SGX_ENCLAVE_IDENTITY_INVALID", detail);
}

function need<T>(field: Field<T>, name: string): T {
  return field.ok ? field.value : invalid(`the field ${name} is ${field.missing ? "missing" : "wrong"}`);
}

function readLevel(level: JsonValue): QeTcbLevel {
  if (!(level instanceof JsonObject)) return invalid("a TCB level is not an object");
  const tcbDate = need(dateField(level, "tcbDate"), "tcbDate");
  const text = need(stringField(level, "tcbStatus"), "tcbStatus");
  const tcb = level.get("tcb");
  if (!(tcb instanceof JsonObject)) return invalid("the field tcb of a TCB level is not an object");
  const isvSvn = need(uintField(tcb, "isvsvn"), "isvsvn");
  const tcbStatus = LEVEL_STATUSES.find((status) => status === text);
  return tcbStatus === undefined ? invalid(`the TCB status "${text}" is unknown`) : { isvSvn, tcbDate, tcbStatus };
}

function readLevels(list: JsonValue | undefined): readonly QeTcbLevel[] {
  if (!Array.isArray(list) || list.length === 0 || list.length > BUDGETS.tcbLevels) {
    return invalid("the field tcbLevels is not a list of some");
  }
  return (list as readonly JsonValue[]).map(readLevel);
}

/**
 * Parses {"enclaveIdentity":{…},"signature":"…"}. Checks and their order are the reference verifier's; the signature
 * itself is not checked here. Throws Rejection `STATUS_SGX_ENCLAVE_IDENTITY_…`.
 */
export function parseQeIdentity(json: Uint8Array): QeIdentity {
  const document = readSignedJson(json, "enclaveIdentity", 324);
  if (document?.signature === undefined) {
    return refuse("STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT", "not a JSON object with a signature");
  }
  const signature = signatureBytes(document.signature);
  if (signature === undefined) return invalid("the signature is not 128 hexadecimal digits");
  const body = document.body;
  if (!(body instanceof JsonObject)) return invalid("the field enclaveIdentity is not an object");
  const version = need(intField(body, "version"), "version");
  if (version !== 2) return refuse("STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION", `version ${version} is not 2`);
  const issueDate = need(dateField(body, "issueDate"), "issueDate");
  const nextUpdate = need(dateField(body, "nextUpdate"), "nextUpdate");
  const miscSelect = readU32(need(hexField(body, "miscselect", 4), "miscselect"), 0);
  const miscSelectMask = readU32(need(hexField(body, "miscselectMask", 4), "miscselectMask"), 0);
  const attributes = need(hexField(body, "attributes", 16), "attributes");
  const attributesMask = need(hexField(body, "attributesMask", 16), "attributesMask");
  const mrSigner = need(hexField(body, "mrsigner", 32), "mrsigner");
  const isvProdId = need(uintField(body, "isvprodid"), "isvprodid");
  const id = need(stringField(body, "id"), "id");
  if (id !== "QE" && id !== "QVE" && id !== "TD_QE") return invalid(`the id "${id}" is not QE, QVE or TD_QE`);
  const tcbEvaluationDataNumber = need(uintField(body, "tcbEvaluationDataNumber"), "tcbEvaluationDataNumber");
  const tcbLevels = readLevels(body.get("tcbLevels"));
  return {
    ...signedDocument(document, signature),
    id,
    issueDate,
    nextUpdate,
    tcbEvaluationDataNumber,
    miscSelect,
    miscSelectMask,
    attributes,
    attributesMask,
    mrSigner,
    isvProdId,
    tcbLevels,
  };
}
