import type { AesmOperationName } from "@confcom/sgx";
import { OPERATION_LIMIT, OPERATIONS } from "./operations.ts";

/** u32, u64 and bool travel as varints, bytes with a length in front (proto2). */
export type FieldKind = "u32" | "u64" | "bool" | "bytes";
export type Field = readonly [number: number, kind: FieldKind, presence?: "required"];
export type Fields = Readonly<Record<string, Field>>;

const TIMEOUT = [9, "u32"] as const;

/**
 * Fields of each request in ascending field number, the order in which they are written (spec: AESM §3).
 * `timeout` is a hint that no server reads; its number is 9 except in select_att_key_id, where it is 2.
 */
export const REQUEST_FIELDS = {
  init_quote: { timeout: TIMEOUT },
  get_quote: {
    report: [1, "bytes", "required"],
    quoteType: [2, "u32", "required"],
    spid: [3, "bytes", "required"],
    nonce: [4, "bytes"],
    sigRl: [5, "bytes"],
    bufSize: [6, "u32", "required"],
    qeReport: [7, "bool"],
    timeout: TIMEOUT,
  },
  get_launch_token: {
    mrEnclave: [1, "bytes", "required"],
    mrSigner: [2, "bytes", "required"],
    seAttributes: [3, "bytes", "required"],
    timeout: TIMEOUT,
  },
  report_attestation_status: {
    platformInfo: [1, "bytes", "required"],
    attestationErrorCode: [2, "u32", "required"],
    updateInfoSize: [3, "u32", "required"],
    timeout: TIMEOUT,
  },
  get_whitelist_size: { timeout: TIMEOUT },
  get_whitelist: { whiteListSize: [1, "u32"], timeout: TIMEOUT },
  get_extended_epid_group_id: { timeout: TIMEOUT },
  switch_extended_epid_group: { xGroupId: [1, "u32"], timeout: TIMEOUT },
  register: { buf: [1, "bytes", "required"], dataType: [2, "u32", "required"], timeout: TIMEOUT },
  init_quote_ex: {
    attKeyId: [1, "bytes"],
    bPubKeyId: [3, "bool", "required"],
    bufSize: [4, "u64"],
    timeout: TIMEOUT,
  },
  get_quote_size_ex: { attKeyId: [1, "bytes"], timeout: TIMEOUT },
  get_quote_ex: {
    report: [1, "bytes", "required"],
    attKeyId: [2, "bytes"],
    qeReportInfo: [3, "bytes"],
    bufSize: [4, "u32", "required"],
    timeout: TIMEOUT,
  },
  check_update_status: {
    platformInfo: [1, "bytes"],
    updateInfoSize: [2, "u32", "required"],
    config: [3, "u32", "required"],
    timeout: TIMEOUT,
  },
  select_att_key_id: { attKeyIdList: [1, "bytes"], timeout: [2, "u32"] },
  get_supported_att_key_id_num: { timeout: TIMEOUT },
  get_supported_att_key_ids: { bufSize: [1, "u32", "required"], timeout: TIMEOUT },
} as const satisfies Record<AesmOperationName, Fields>;

const ERROR_CODE = [1, "u32", "required"] as const;

/** Fields of each reply. Field 20, "unsupported", is never sent: it makes Intel's client crash (spec: AESM §3.1). */
export const RESPONSE_FIELDS = {
  init_quote: { errorCode: ERROR_CODE, targetInfo: [2, "bytes"], gid: [3, "bytes"] },
  get_quote: { errorCode: ERROR_CODE, quote: [2, "bytes"], qeReport: [3, "bytes"] },
  get_launch_token: { errorCode: ERROR_CODE, token: [2, "bytes"] },
  report_attestation_status: { errorCode: ERROR_CODE, platformUpdateInfo: [2, "bytes"] },
  get_whitelist_size: { errorCode: ERROR_CODE, whiteListSize: [2, "u32"] },
  get_whitelist: { errorCode: ERROR_CODE, whiteList: [2, "bytes"] },
  get_extended_epid_group_id: { errorCode: ERROR_CODE, xGroupId: [2, "u32"] },
  switch_extended_epid_group: { errorCode: ERROR_CODE },
  register: { errorCode: ERROR_CODE },
  init_quote_ex: {
    errorCode: ERROR_CODE,
    targetInfo: [2, "bytes"],
    pubKeyIdSize: [3, "u64"],
    pubKeyId: [4, "bytes"],
  },
  get_quote_size_ex: { errorCode: ERROR_CODE, quoteSize: [2, "u32"] },
  get_quote_ex: { errorCode: ERROR_CODE, quote: [2, "bytes"], qeReportInfo: [3, "bytes"] },
  check_update_status: { errorCode: ERROR_CODE, platformUpdateInfo: [2, "bytes"], status: [3, "u32"] },
  select_att_key_id: { errorCode: ERROR_CODE, selectedAttKeyId: [2, "bytes"] },
  get_supported_att_key_id_num: { errorCode: ERROR_CODE, attKeyIdNum: [2, "u32"] },
  get_supported_att_key_ids: { errorCode: ERROR_CODE, attKeyIds: [2, "bytes"] },
} as const satisfies Record<AesmOperationName, Fields>;

interface FieldValues {
  u32: number;
  u64: bigint;
  bool: boolean;
  bytes: Uint8Array;
}
type Required<F extends Fields> = {
  [K in keyof F]: F[K] extends readonly [number, FieldKind, "required"] ? K : never;
}[keyof F];

/** The TypeScript shape of a message described by its fields. */
export type MessageOf<F extends Fields> = { readonly [K in Required<F>]: FieldValues[F[K][1]] } & {
  readonly [K in Exclude<keyof F, Required<F>>]?: FieldValues[F[K][1]] | undefined;
};

export type RequestFields<O extends AesmOperationName> = MessageOf<(typeof REQUEST_FIELDS)[O]>;
export type ResponseFields<O extends AesmOperationName> = MessageOf<(typeof RESPONSE_FIELDS)[O]>;

/** A request: the operation's name and its fields. */
export type AesmRequest = { [O in AesmOperationName]: { readonly operation: O } & RequestFields<O> }[AesmOperationName];
/** A reply: the operation's name and its fields. */
export type AesmResponse = {
  [O in AesmOperationName]: { readonly operation: O } & ResponseFields<O>;
}[AesmOperationName];

/** How a decoder knows a field: 0 is unknown and skipped. */
export const KIND_VARINT = 1;
export const KIND_BYTES = 2;

/** Field numbers inside sub-messages stay below this. */
export const FIELD_LIMIT = 16;

/** The decoder's view of a field table: per operation the kind of each field number, and the required ones as bits. */
export interface DecodeTable {
  readonly kinds: readonly (Uint8Array | undefined)[];
  readonly required: readonly number[];
}

export function decodeTable(messages: Readonly<Record<AesmOperationName, Fields>>): DecodeTable {
  const kinds = new Array<Uint8Array | undefined>(OPERATION_LIMIT).fill(undefined);
  const required = new Array<number>(OPERATION_LIMIT).fill(0);
  for (const [operation, fields] of Object.entries(messages)) {
    const number = OPERATIONS[operation as AesmOperationName];
    const row = new Uint8Array(FIELD_LIMIT);
    for (const [field, kind, presence] of Object.values(fields)) {
      row[field] = kind === "bytes" ? KIND_BYTES : KIND_VARINT;
      if (presence === "required") required[number] = (required[number] as number) | (1 << field);
    }
    kinds[number] = row;
  }
  return { kinds, required };
}
