import { CollateralError, type CollateralErrorCode } from "../../errors.ts";

/** SQLSTATE, or the system's error code. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" ? code : undefined;
}

/** Of PostgreSQL's answers (an error the server sent has a severity): those that a later try may not meet. */
const CONNECTION_STATES = /^(08...|57P0[1-4]|53300)$/;
const SYSTEM_ERRORS = /^(E[A-Z]+|ERR_(SSL|TLS|SOCKET)_.*|[A-Z_]*CERT[A-Z_]*)$/;
/** Failures that the driver describes in words alone. */
const DRIVER_WORDS =
  /^(Connection terminated|Query read timeout|timeout e|Client (was closed|has encountered)|The server does not support SSL|There was an error establishing an SSL)/;

function fromServer(error: unknown): boolean {
  return typeof (error as { severity?: unknown } | undefined)?.severity === "string";
}

/** True: the connection that reported this is of no use any more, or there was none. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  if (fromServer(error)) return code !== undefined && CONNECTION_STATES.test(code);
  if (code !== undefined && SYSTEM_ERRORS.test(code)) return true;
  return error instanceof Error && DRIVER_WORDS.test(error.message);
}

/** Transactions that the server gave up in favour of another: the same may succeed at once. */
export function isSerializationFailure(error: unknown): boolean {
  return fromServer(error) && ["40001", "40P01"].includes(codeOf(error) ?? "");
}

/** What the server or the driver said, as one of this package's errors. `name` is the store's, `what` what was tried. */
export function storeFailure(name: string, what: string, error: unknown): CollateralError {
  if (error instanceof CollateralError) return error;
  const { code, reason } = judge(error);
  return new CollateralError(code, `${name}: ${what}: ${reason}`, { cause: error });
}

function judge(error: unknown): { code: CollateralErrorCode; reason: string } {
  const words = error instanceof Error ? error.message || codeOf(error) || error.name : String(error);
  if (isConnectionLoss(error)) return { code: "STORE_UNREACHABLE", reason: words };
  if (!fromServer(error)) return { code: "STORE_IO", reason: words };
  const state = codeOf(error) ?? "";
  if (/^28|^3D000/.test(state)) return { code: "STORE_UNREACHABLE", reason: words };
  if (state === "53100") return { code: "STORE_FULL", reason: words };
  if (/^(XX00[12]|58P0[12])$/.test(state)) return { code: "STORE_DAMAGED", reason: words };
  if (/^(55P03|57014|40001|40P01)$/.test(state)) return { code: "STORE_BUSY", reason: words };
  if (state === "25006") return { code: "STORE_IO", reason: "it is read-only: a standby, or set so" };
  if (/^(42P01|3F000|42703)$/.test(state)) {
    return { code: "STORE_VERSION", reason: `its tables are not those of this version (${words})` };
  }
  return { code: "STORE_IO", reason: `${words} (SQLSTATE ${state})` };
}
