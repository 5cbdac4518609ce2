import { CollateralError } from "../../errors.ts";

/**
 * `postgres://USER[:PASSWORD]@HOST[:PORT]/DATABASE?...` as libpq reads it, with three differences: the environment
 * (PGHOST, PGPASSWORD, ...) has no part in it, one host only, and the TLS modes that fall back to plain text by themselves
 * (`prefer`, `allow`) are refused. Without `sslmode`, sockets and loopback are plain and every other host is `verify-full`.
 */
export interface DatabaseUrl {
  /** A host name, an address, or the directory of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: DatabaseTls | undefined;
  /** Host, port and database: for messages. */
  readonly name: string;
}

export interface DatabaseTls {
  readonly mode: "require" | "verify-ca" | "verify-full";
  /** Paths of PEM files. Without root certificates, Node's. */
  readonly rootCertificates: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

const PARAMETERS = [
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
] as const;
type Parameter = (typeof PARAMETERS)[number];
const DEFAULT_PORT = 5432;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
/** Far above any real one, far below what costs time to take apart. */
const MAX_LENGTH = 4096;

/** Fails with SERVICE_CONFIGURATION; no message contains the URL, which may hold a password. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  if (text.length > MAX_LENGTH) throw refusal(`it is longer than ${MAX_LENGTH} characters`);
  const match =
    /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?(\[[^\]/?#]*\]|[^:/?#@,[\]]*)(?::(\d*))?(?:\/([^?#/]*))?(?:\?([^#]*))?$/i.exec(
      text,
    );
  if (match === null) {
    throw refusal("it has not the form postgres://USER@HOST:PORT/DATABASE; special characters are written as %XX");
  }
  const [, userInfo = "", bracketed = "", portText = "", path = "", query = ""] = match;
  const parameters = queryParameters(query);
  const colon = userInfo.indexOf(":");
  const user = parameters.get("user") ?? decoded(colon < 0 ? userInfo : userInfo.slice(0, colon), "user");
  const password =
    parameters.get("password") ?? (colon < 0 ? undefined : decoded(userInfo.slice(colon + 1), "password"));
  const host = parameters.get("host") ?? decoded(bracketed.replace(/^\[(.*)\]$/, "$1"), "host");
  if (user === "") throw refusal("it names no user");
  if (host === "") throw refusal("it names no host and no directory of a socket (?host=/run/postgresql)");
  if (host.includes(",")) throw refusal("it names several hosts; name one, or a proxy in front of them");
  const port = portNumber(parameters.get("port") ?? portText);
  const database = (parameters.get("dbname") ?? decoded(path, "database")) || user;
  const place = host.startsWith("/")
    ? `${host}/.s.PGSQL.${port}`
    : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    host,
    port,
    user,
    password,
    database,
    tls: tlsOf(parameters, host),
    name: `PostgreSQL database ${JSON.stringify(database)} at ${place}`,
  };
}

function queryParameters(query: string): ReadonlyMap<Parameter, string> {
  const parameters = new Map<Parameter, string>();
  for (const part of query === "" ? [] : query.split("&")) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    const known = PARAMETERS.find((parameter) => parameter === name);
    if (known === undefined) {
      // A value that was meant for a parameter stays out of the message; so does what is too long to be a name.
      throw refusal(`the parameter ${JSON.stringify(name.slice(0, 32))} is none of ${PARAMETERS.join(", ")}`);
    }
    if (parameters.has(known)) throw refusal(`the parameter ${known} is there twice`);
    parameters.set(known, decoded(equals < 0 ? "" : part.slice(equals + 1), known));
  }
  return parameters;
}

function tlsOf(parameters: ReadonlyMap<Parameter, string>, host: string): DatabaseTls | undefined {
  const plainByDefault = host.startsWith("/") || LOOPBACK.test(host);
  const mode = parameters.get("sslmode") ?? (plainByDefault ? "disable" : "verify-full");
  const rootCertificates = parameters.get("sslrootcert");
  const certificate = parameters.get("sslcert");
  const key = parameters.get("sslkey");
  switch (mode) {
    case "disable":
      if (rootCertificates !== undefined || certificate !== undefined || key !== undefined) {
        throw refusal("it names certificates although TLS is off; name sslmode=verify-full");
      }
      return undefined;
    case "require":
    case "verify-ca":
    case "verify-full":
      break;
    default:
      throw refusal("sslmode is none of disable, require, verify-ca, verify-full");
  }
  if (host.startsWith("/")) throw refusal("a Unix socket has no TLS; leave sslmode out");
  if ((certificate === undefined) !== (key === undefined)) throw refusal("sslcert and sslkey belong together");
  if (mode === "verify-ca" && rootCertificates === undefined) throw refusal("sslmode=verify-ca needs sslrootcert");
  // As libpq does: with a root certificate to check by, `require` checks.
  const checked = mode === "require" && rootCertificates !== undefined ? "verify-ca" : mode;
  return { mode: checked, rootCertificates, certificate, key };
}

function portNumber(text: string): number {
  if (text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65_535) throw refusal("its port is none from 1 to 65535");
  return port;
}

function decoded(text: string, what: string): string {
  let plain: string;
  try {
    plain = decodeURIComponent(text);
  } catch {
    throw refusal(`its ${what} has a % that is not followed by two hexadecimal digits of UTF-8`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they end a text in the protocol, or start a new line in a log.
  if (/[\u0000-\u001f]/.test(plain)) throw refusal(`its ${what} has a control character`);
  return plain;
}

function refusal(reason: string): CollateralError {
  return new CollateralError("SERVICE_CONFIGURATION", `the URL of the PostgreSQL database cannot be used: ${reason}`);
}
