import { join } from "node:path";

/** What `confcom pccs prepare` makes in the service's state directory. */
export interface PreparedFiles {
  /** Directory 0700 of the TLS files. */
  readonly tls: string;
  /** Certificate and private key of the TLS authority, PEM in one file: neither is ever there without the other. */
  readonly authority: string;
  /** The authority's certificate alone, for clients. */
  readonly ca: string;
  /** Certificate and private key of the server in one file, for `--tls-cert` and `--tls-key` alike. */
  readonly server: string;
  /** Directory 0700 of what registration needs. */
  readonly registration: string;
  readonly userToken: string;
  /** For `--user-token-file`. */
  readonly userTokenHashes: string;
}

export const AUTHORITY_FILE = "authority.pem";
export const CA_FILE = "ca.pem";
export const SERVER_FILE = "server.pem";
export const USER_TOKEN_FILE = "user-token";
export const USER_TOKEN_HASHES_FILE = "user-token-hashes";

export function preparedFiles(stateDirectory: string): PreparedFiles {
  const tls = join(stateDirectory, "tls");
  const registration = join(stateDirectory, "registration");
  return {
    tls,
    authority: join(tls, AUTHORITY_FILE),
    ca: join(tls, CA_FILE),
    server: join(tls, SERVER_FILE),
    registration,
    userToken: join(registration, USER_TOKEN_FILE),
    userTokenHashes: join(registration, USER_TOKEN_HASHES_FILE),
  };
}
