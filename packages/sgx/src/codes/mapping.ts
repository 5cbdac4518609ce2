import { Aesm, type AesmErrorCode } from "./aesm-error.ts";
import { Quote3, type Quote3ErrorCode } from "./quote3-error.ts";
import { SgxStatus, type SgxStatusCode } from "./sgx-status.ts";

/** The AESM operations whose clients translate some codes in their own way (spec: AESM §5.2). */
export type AesmOperationName =
  | "init_quote"
  | "get_quote"
  | "get_launch_token"
  | "report_attestation_status"
  | "get_whitelist_size"
  | "get_whitelist"
  | "get_extended_epid_group_id"
  | "switch_extended_epid_group"
  | "register"
  | "init_quote_ex"
  | "get_quote_size_ex"
  | "get_quote_ex"
  | "check_update_status"
  | "select_att_key_id"
  | "get_supported_att_key_id_num"
  | "get_supported_att_key_ids";

type StatusMap = ReadonlyMap<AesmErrorCode, SgxStatusCode>;

const COMMON: StatusMap = new Map<AesmErrorCode, SgxStatusCode>([
  [Aesm.SUCCESS, SgxStatus.SUCCESS],
  [Aesm.NO_DEVICE_ERROR, SgxStatus.ERROR_NO_DEVICE],
  [Aesm.PARAMETER_ERROR, SgxStatus.ERROR_INVALID_PARAMETER],
  [Aesm.NETWORK_ERROR, SgxStatus.ERROR_NETWORK_FAILURE],
  [Aesm.NETWORK_BUSY_ERROR, SgxStatus.ERROR_NETWORK_FAILURE],
  [Aesm.PROXY_SETTING_ASSIST, SgxStatus.ERROR_NETWORK_FAILURE],
  [Aesm.SERVICE_STOPPED, SgxStatus.ERROR_SERVICE_UNAVAILABLE],
  [Aesm.BUSY, SgxStatus.ERROR_BUSY],
  [Aesm.UPDATE_AVAILABLE, SgxStatus.ERROR_UPDATE_NEEDED],
  [Aesm.OUT_OF_MEMORY_ERROR, SgxStatus.ERROR_OUT_OF_MEMORY],
  [Aesm.SERVICE_UNAVAILABLE, SgxStatus.ERROR_SERVICE_UNAVAILABLE],
  [Aesm.UNRECOGNIZED_PLATFORM, SgxStatus.ERROR_UNRECOGNIZED_PLATFORM],
  [Aesm.ENCLAVE_LOST, SgxStatus.ERROR_SERVICE_UNAVAILABLE],
  [Aesm.ENCLAVE_LOAD_ERROR, SgxStatus.ERROR_SERVICE_UNAVAILABLE],
]);

const EPID_AND_EPC: readonly (readonly [AesmErrorCode, SgxStatusCode])[] = [
  [Aesm.EPIDBLOB_ERROR, SgxStatus.ERROR_AE_INVALID_EPIDBLOB],
  [Aesm.EPID_REVOKED_ERROR, SgxStatus.ERROR_EPID_MEMBER_REVOKED],
  [Aesm.BACKEND_SERVER_BUSY, SgxStatus.ERROR_BUSY],
  [Aesm.OUT_OF_EPC, SgxStatus.ERROR_OUT_OF_EPC],
];

const UPDATE_STATUS: readonly (readonly [AesmErrorCode, SgxStatusCode])[] = [
  [Aesm.BACKEND_SERVER_BUSY, SgxStatus.ERROR_BUSY],
  [Aesm.PLATFORM_INFO_BLOB_INVALID_SIG, SgxStatus.ERROR_INVALID_PARAMETER],
  [Aesm.EPIDBLOB_ERROR, SgxStatus.ERROR_AE_INVALID_EPIDBLOB],
  [Aesm.OUT_OF_EPC, SgxStatus.ERROR_OUT_OF_EPC],
];

const UNSUPPORTED_KEY = [Aesm.UNSUPPORTED_ATT_KEY_ID, SgxStatus.ERROR_UNSUPPORTED_ATT_KEY_ID] as const;
const UNINITIALIZED = [Aesm.ATT_KEY_NOT_INITIALIZED, SgxStatus.ERROR_ATT_KEY_UNINITIALIZED] as const;

const PER_OPERATION: Readonly<Partial<Record<AesmOperationName, StatusMap>>> = {
  select_att_key_id: new Map<AesmErrorCode, SgxStatusCode>([UNSUPPORTED_KEY]),
  init_quote_ex: new Map<AesmErrorCode, SgxStatusCode>([
    UNSUPPORTED_KEY,
    [Aesm.KEY_CERTIFICATION_ERROR, SgxStatus.ERROR_ATT_KEY_CERTIFICATION_FAILURE],
    [Aesm.NO_PLATFORM_CERT_DATA, SgxStatus.ERROR_PLATFORM_CERT_UNAVAILABLE],
    ...EPID_AND_EPC,
  ]),
  get_quote_size_ex: new Map<AesmErrorCode, SgxStatusCode>([UNSUPPORTED_KEY, UNINITIALIZED]),
  get_quote_ex: new Map<AesmErrorCode, SgxStatusCode>([
    UNSUPPORTED_KEY,
    UNINITIALIZED,
    [Aesm.ERROR_REPORT, SgxStatus.ERROR_MAC_MISMATCH],
    [Aesm.INVALID_REPORT, SgxStatus.ERROR_MAC_MISMATCH],
    ...EPID_AND_EPC,
  ]),
  init_quote: new Map(EPID_AND_EPC),
  get_quote: new Map(EPID_AND_EPC),
  report_attestation_status: new Map(UPDATE_STATUS),
  check_update_status: new Map<AesmErrorCode, SgxStatusCode>([
    ...UPDATE_STATUS,
    [Aesm.CONFIG_UNSUPPORTED, SgxStatus.ERROR_UNSUPPORTED_CONFIG],
  ]),
  get_launch_token: new Map<AesmErrorCode, SgxStatusCode>([
    [Aesm.GET_LICENSETOKEN_ERROR, SgxStatus.ERROR_SERVICE_INVALID_PRIVILEGE],
    [Aesm.OUT_OF_EPC, SgxStatus.ERROR_OUT_OF_EPC],
  ]),
};

/** What Intel's client library returns for an AESM error code (spec: AESM §5.1, §5.2). */
export function aesmToSgxStatus(operation: AesmOperationName, code: number): SgxStatusCode {
  const aesm = code as AesmErrorCode;
  return PER_OPERATION[operation]?.get(aesm) ?? COMMON.get(aesm) ?? SgxStatus.ERROR_UNEXPECTED;
}

const STATUS_TO_QUOTE3: ReadonlyMap<SgxStatusCode, Quote3ErrorCode> = new Map<SgxStatusCode, Quote3ErrorCode>([
  [SgxStatus.SUCCESS, Quote3.SUCCESS],
  [SgxStatus.ERROR_SERVICE_UNAVAILABLE, Quote3.SERVICE_UNAVAILABLE],
  [SgxStatus.ERROR_SERVICE_TIMEOUT, Quote3.SERVICE_TIMEOUT],
  [SgxStatus.ERROR_NETWORK_FAILURE, Quote3.NETWORK_FAILURE],
  [SgxStatus.ERROR_BUSY, Quote3.ERROR_BUSY],
  [SgxStatus.ERROR_NO_DEVICE, Quote3.NO_DEVICE],
  [SgxStatus.ERROR_INVALID_PARAMETER, Quote3.INVALID_PARAMETER],
  [SgxStatus.ERROR_OUT_OF_MEMORY, Quote3.OUT_OF_MEMORY],
  [SgxStatus.ERROR_UNSUPPORTED_ATT_KEY_ID, Quote3.UNSUPPORTED_ATT_KEY_ID],
  [SgxStatus.ERROR_ATT_KEY_CERTIFICATION_FAILURE, Quote3.ATT_KEY_CERT_DATA_INVALID],
  [SgxStatus.ERROR_PLATFORM_CERT_UNAVAILABLE, Quote3.NO_PLATFORM_CERT_DATA],
  [SgxStatus.ERROR_ATT_KEY_UNINITIALIZED, Quote3.ATT_KEY_NOT_INITIALIZED],
]);

/** What DCAP's out-of-process mode shows its caller for a client status (spec: AESM §5.4). */
export function sgxStatusToQuote3(status: SgxStatusCode): Quote3ErrorCode {
  return STATUS_TO_QUOTE3.get(status) ?? Quote3.UNEXPECTED;
}

/** E001 to E018 go by position, as the ECDSA plugin has them (spec: AESM §5.5). */
const QUOTE3_TO_AESM: ReadonlyMap<Quote3ErrorCode, AesmErrorCode> = new Map<Quote3ErrorCode, AesmErrorCode>([
  [Quote3.SUCCESS, Aesm.SUCCESS],
  [Quote3.UNEXPECTED, Aesm.UNEXPECTED_ERROR],
  [Quote3.INVALID_PARAMETER, Aesm.PARAMETER_ERROR],
  [Quote3.OUT_OF_MEMORY, Aesm.OUT_OF_MEMORY_ERROR],
  [Quote3.ECDSA_ID_MISMATCH, Aesm.ECDSA_ID_MISMATCH],
  [Quote3.PATHNAME_BUFFER_OVERFLOW, Aesm.PATHNAME_BUFFER_OVERFLOW_ERROR],
  [Quote3.FILE_ACCESS_ERROR, Aesm.FILE_ACCESS_ERROR],
  [Quote3.ERROR_STORED_KEY, Aesm.ERROR_STORED_KEY],
  [Quote3.PUB_KEY_ID_MISMATCH, Aesm.PUB_KEY_ID_MISMATCH],
  [Quote3.INVALID_PCE_SIG_SCHEME, Aesm.INVALID_PCE_SIG_SCHEME],
  [Quote3.ATT_KEY_BLOB_ERROR, Aesm.ATT_KEY_BLOB_ERROR],
  [Quote3.UNSUPPORTED_ATT_KEY_ID, Aesm.UNSUPPORTED_ATT_KEY_ID],
  [Quote3.UNSUPPORTED_LOADING_POLICY, Aesm.UNSUPPORTED_LOADING_POLICY],
  [Quote3.INTERFACE_UNAVAILABLE, Aesm.INTERFACE_UNAVAILABLE],
  [Quote3.PLATFORM_LIB_UNAVAILABLE, Aesm.PLATFORM_LIB_UNAVAILABLE],
  [Quote3.ATT_KEY_NOT_INITIALIZED, Aesm.ATT_KEY_NOT_INITIALIZED],
  [Quote3.ATT_KEY_CERT_DATA_INVALID, Aesm.ATT_KEY_CERT_DATA_INVALID],
  [Quote3.NO_PLATFORM_CERT_DATA, Aesm.NO_PLATFORM_CERT_DATA],
  [Quote3.OUT_OF_EPC, Aesm.OUT_OF_EPC],
  [Quote3.ERROR_REPORT, Aesm.ERROR_REPORT],
  [Quote3.ENCLAVE_LOST, Aesm.ENCLAVE_LOST],
  [Quote3.INVALID_REPORT, Aesm.INVALID_REPORT],
  [Quote3.ENCLAVE_LOAD_ERROR, Aesm.ENCLAVE_LOAD_ERROR],
  [Quote3.UNABLE_TO_GENERATE_QE_REPORT, Aesm.UNABLE_TO_GENERATE_QE_REPORT],
  [Quote3.KEY_CERTIFICATION_ERROR, Aesm.KEY_CERTIFICATION_ERROR],
  [Quote3.NETWORK_ERROR, Aesm.NETWORK_ERROR],
  [Quote3.MESSAGE_ERROR, Aesm.MSG_ERROR],
]);

/** The AESM code for a quoting error; most provider errors collapse to 1, so the true cause belongs in the log. */
export function quote3ToAesm(code: Quote3ErrorCode): AesmErrorCode {
  return QUOTE3_TO_AESM.get(code) ?? Aesm.UNEXPECTED_ERROR;
}
