import { type AesmOperationName, aesmErrorName, type SgxStatusCode, sgxStatusName } from "@confcom/sgx";

/** Every way this package fails. The keys are stable; callers may match on them. */
export const AESM_ERROR_CODES = {
  MESSAGE_MALFORMED: "Bytes are not an AESM message. The peer speaks another protocol or the bytes are damaged.",
  MESSAGE_INCOMPLETE: "An AESM message lacks a required field. Send every field marked required.",
  MESSAGE_VALUE: "A field's value does not fit its type. Pass a value within the documented range.",
  SERVICE_REFUSED:
    "The service answered with an error code: its name says what happened, the service's log (of confcom's, /readyz too) why.",
  SERVICE_UNREACHABLE:
    "No connection to the AESM socket. Start the quote helper, or mount the directory of its socket (not the socket file); where permission is denied, run as a user who may write to the socket.",
  SERVICE_TIMEOUT: "The service did not answer before the deadline. Look at its log, then try again.",
  SERVICE_CLOSED: "The service closed the connection before a whole reply. It did not understand the request.",
  RESPONSE_TOO_LARGE: "The service announced a reply above the limit. It is not an AESM service, or the limit is low.",
  RESPONSE_MISMATCH: "The reply does not answer the request that was sent. It is not an AESM service.",
  REQUEST_CANCELLED: "The caller cancelled the request.",
  SOCKET_PATH:
    "The socket path cannot be used. Choose one of 1 to 107 bytes without NUL; a relative path counts from the working directory.",
  SOCKET_DIRECTORY:
    "The socket's directory cannot be made or written. Create it on a writable file system, or run as a user who may write to it.",
  SOCKET_NOT_A_SOCKET: "Something other than a socket lies at the socket path. Move it away; it is never overwritten.",
  SOCKET_OWNED: "Another live process answers on the socket path. Stop it, choose another path, or take over.",
  SOCKET_OWNER_UNKNOWN:
    "Whether a live process owns the socket path cannot be found out. Check the file's permissions.",
  SOCKET_BIND: "The socket cannot be bound or moved into place. The cause says which step failed.",
  WORKER_START: "A worker thread did not come up. The cause says why.",
  WORKER_DIED: "A worker thread ended on its own. The process must end: the shared listening socket is gone with it.",
  WORKER_TIMEOUT: "A worker thread did not answer in time.",
  POOL_CLOSED: "The worker pool is closed. No state can be published or request answered any more.",
} as const;

export type AesmErrorKind = keyof typeof AESM_ERROR_CODES;

export interface AesmErrorDetails {
  /** The operation that failed, where there is one. */
  readonly operation?: AesmOperationName;
  /** The errorCode of the reply (spec: AESM §5.1); only with `SERVICE_REFUSED`. */
  readonly aesm?: number;
  /** What Intel's client library would have returned (spec: AESM §5.2, §5.3). */
  readonly status?: SgxStatusCode;
  readonly cause?: unknown;
}

/** A failure of the AESM transport, client or server, with a stable string `code`. */
export class AesmError extends Error {
  readonly code: AesmErrorKind;
  readonly operation: AesmOperationName | undefined;
  readonly aesm: number | undefined;
  readonly aesmName: string | undefined;
  readonly status: SgxStatusCode | undefined;
  readonly statusName: string | undefined;

  constructor(code: AesmErrorKind, message: string, details: AesmErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AesmError";
    this.code = code;
    this.operation = details.operation;
    this.aesm = details.aesm;
    this.aesmName = details.aesm === undefined ? undefined : aesmErrorName(details.aesm);
    this.status = details.status;
    this.statusName = details.status === undefined ? undefined : sgxStatusName(details.status);
  }
}
