import type { ApiVersion, Tee } from "../../request.ts";
import type { PccsStatus } from "../status.ts";

export type EndpointName =
  | "pckcert"
  | "pckcrl"
  | "tcb"
  | "qe/identity"
  | "qve/identity"
  | "rootcacrl"
  | "crl"
  | "platforms"
  | "platformcollateral"
  | "refresh"
  | "appraisalpolicy";

export type EndpointMethod = "GET" | "POST" | "PUT";
export type TokenKind = "user" | "admin";

export interface Operation {
  readonly method: EndpointMethod;
  readonly token?: TokenKind;
  /** What it takes, in the words of the documentation. */
  readonly parameters: string;
  readonly statuses: readonly (PccsStatus | 413)[];
}

export interface Endpoint {
  readonly name: EndpointName;
  readonly tees: readonly Tee[];
  /** In the order in which the reference lists them in `Allow`. */
  readonly operations: readonly Operation[];
  /** A token is asked for before the method is looked at. */
  readonly guarded?: TokenKind;
}

const READ_STATUSES = [200, 400, 404, 460, 500, 502, 503] as const;

/** The PCCS API (spec: DCAP §12). The table of docs/pccs.md is this one; a test compares them. */
export const ENDPOINTS: readonly Endpoint[] = [
  {
    name: "pckcert",
    tees: ["sgx"],
    operations: [
      {
        method: "GET",
        parameters: "qeid ≤ 260 hex, cpusvn 32 hex, pcesvn 4 hex, pceid 4 hex, encrypted_ppid 768 hex (optional)",
        statuses: [200, 400, 404, 460, 461, 462, 500, 502, 503],
      },
    ],
  },
  {
    name: "pckcrl",
    tees: ["sgx"],
    operations: [
      { method: "GET", parameters: "ca processor or platform, encoding der (optional)", statuses: READ_STATUSES },
    ],
  },
  {
    name: "tcb",
    tees: ["sgx", "tdx"],
    operations: [
      { method: "GET", parameters: "fmspc 12 hex, update standard or early (optional)", statuses: READ_STATUSES },
    ],
  },
  {
    name: "qe/identity",
    tees: ["sgx", "tdx"],
    operations: [{ method: "GET", parameters: "update standard or early (optional)", statuses: READ_STATUSES }],
  },
  {
    name: "qve/identity",
    tees: ["sgx"],
    operations: [{ method: "GET", parameters: "update standard or early (optional)", statuses: READ_STATUSES }],
  },
  {
    name: "rootcacrl",
    tees: ["sgx"],
    operations: [{ method: "GET", parameters: "none", statuses: [200, 404, 460, 500, 502, 503] }],
  },
  {
    name: "crl",
    tees: ["sgx"],
    operations: [{ method: "GET", parameters: "uri ≤ 2048 characters", statuses: READ_STATUSES }],
  },
  {
    name: "platforms",
    tees: ["sgx"],
    operations: [
      {
        method: "POST",
        token: "user",
        parameters: "update standard, early or all (optional); JSON body",
        statuses: [200, 400, 401, 404, 413, 460, 462, 500, 502, 503],
      },
      {
        method: "GET",
        token: "admin",
        parameters: "source reg, reg_na or [FMSPC,…] (optional: reg)",
        statuses: [200, 400, 401, 500, 503],
      },
    ],
  },
  {
    name: "platformcollateral",
    tees: ["sgx"],
    guarded: "admin",
    operations: [
      { method: "PUT", token: "admin", parameters: "JSON body", statuses: [200, 400, 401, 413, 460, 500, 503] },
    ],
  },
  {
    name: "refresh",
    tees: ["sgx"],
    guarded: "admin",
    operations: [
      {
        method: "POST",
        token: "admin",
        parameters: "type certs (optional), fmspc list (optional)",
        statuses: [200, 400, 401, 404, 460, 500, 502, 503],
      },
      {
        method: "GET",
        token: "admin",
        parameters: "as POST",
        statuses: [200, 400, 401, 404, 460, 500, 502, 503],
      },
    ],
  },
  {
    name: "appraisalpolicy",
    tees: ["sgx"],
    operations: [
      {
        method: "PUT",
        token: "admin",
        parameters: "JSON body {is_default, fmspc, policy}",
        statuses: [200, 400, 401, 413, 500, 503],
      },
      { method: "GET", parameters: "fmspc 12 hex", statuses: [200, 400, 404, 500, 503] },
    ],
  },
];

export type Routed =
  | { readonly kind: "endpoint"; readonly endpoint: Endpoint; readonly tee: Tee; readonly version: ApiVersion }
  /** A path of the API under a version that there is not: 500 (spec: DCAP §12). */
  | { readonly kind: "version" }
  | { readonly kind: "unknown" };

const VERSIONED = /^\/(sgx|tdx)\/certification\/(v[0-9]{1,9})\/(.*)$/i;

/**
 * Finds the endpoint of a path as the reference's router does: any case, one slash more before the name or after it, and no
 * decoding, so that `%2e`, `..` and a NUL find nothing. TDX has version 4 alone.
 */
export function route(path: string): Routed {
  const match = VERSIONED.exec(path);
  if (match === null) return UNKNOWN;
  const tee = match[1]?.toLowerCase() as Tee;
  const endpoint = BY_PATH.get(`${tee}/${bare(match[3] ?? "").toLowerCase()}`);
  if (endpoint === undefined) return UNKNOWN;
  // The reference reads the version in lower case only.
  const version = match[2] === "v3" ? 3 : match[2] === "v4" ? 4 : undefined;
  if (version === undefined) return { kind: "version" };
  if (tee === "tdx" && version === 3) return UNKNOWN;
  return { kind: "endpoint", endpoint, tee, version };
}

const UNKNOWN: Routed = { kind: "unknown" };

const BY_PATH = new Map<string, Endpoint>(
  ENDPOINTS.flatMap((endpoint) => endpoint.tees.map((tee) => [`${tee}/${endpoint.name}`, endpoint] as const)),
);

function bare(rest: string): string {
  return rest.slice(rest.startsWith("/") ? 1 : 0, rest.length > 1 && rest.endsWith("/") ? -1 : undefined);
}
