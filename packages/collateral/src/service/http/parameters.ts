import type {
  ApiVersion,
  CertificationCa,
  CollateralRequest,
  CrlRequest,
  IdentityRequest,
  PckCertificateRequest,
  PckCrlRequest,
  RootCaCrlRequest,
  TcbInfoRequest,
  TcbUpdate,
  Tee,
} from "../../request.ts";
import { ServiceRefusal } from "../status.ts";
import type { Query } from "./query.ts";

/** Parameters of the endpoints (spec: DCAP §12), checked and turned into requests. A wrong one is 400. */

const QE_ID = /^[0-9A-Fa-f]{1,260}$/;
const HEX = /^[0-9A-Fa-f]*$/;
/** Longest URL of a distribution point. */
const MAX_CRL_URL = 2048;

/** Hexadecimal of an exact length, in upper case. */
export function hexParameter(name: string, value: unknown, length: number): string {
  if (typeof value !== "string" || value.length !== length || !HEX.test(value)) {
    throw new ServiceRefusal(400, `${name} is not ${length} hexadecimal digits`);
  }
  return value.toUpperCase();
}

/** Up to 260 hexadecimal characters, in upper case. */
export function qeIdParameter(value: unknown): string {
  if (typeof value !== "string" || !QE_ID.test(value)) {
    throw new ServiceRefusal(400, "the QE ID is not 1 to 260 hexadecimal digits");
  }
  return value.toUpperCase();
}

/** `encrypted_ppid` is left out, or 768 digits; an empty one is refused, as the reference does. */
function pckCertificateRequest(query: Query): PckCertificateRequest {
  const ppid = query.get("encrypted_ppid");
  return {
    kind: "pck-certificate",
    qeId: qeIdParameter(query.get("qeid")),
    cpuSvn: hexParameter("cpusvn", query.get("cpusvn"), 32),
    pceSvn: hexParameter("pcesvn", query.get("pcesvn"), 4),
    pceId: hexParameter("pceid", query.get("pceid"), 4),
    ...(ppid === undefined ? {} : { encryptedPpid: hexParameter("encrypted_ppid", ppid, 768) }),
  };
}

/** Asked for by `ca`, or as az-dcap-client does by the distribution point's URL in `uri` (spec: DCAP §14). */
function pckCrlRequest(query: Query): PckCrlRequest | RootCaCrlRequest {
  const ca = query.get("ca");
  if (ca === undefined) {
    const uri = query.get("uri");
    if (uri !== undefined && uri.length <= MAX_CRL_URL) return crlByAzureName(uri);
  }
  return { kind: "pck-crl", ca: certificationCa(ca) };
}

function tcbInfoRequest(query: Query, tee: Tee, version: ApiVersion): TcbInfoRequest {
  const fmspc = hexParameter("fmspc", query.get("fmspc"), 12);
  const update = updateParameter(query);
  if (update === undefined) throw new ServiceRefusal(400, "update is neither standard nor early");
  return { kind: "tcb-info", tee, fmspc, update, version };
}

/** An `update` that is neither is answered 500, which is a defect of the reference that its clients see. */
function identityRequest(query: Query, id: IdentityRequest["id"], version: ApiVersion): IdentityRequest {
  const update = updateParameter(query);
  if (update === undefined) throw new ServiceRefusal(500, "update is neither standard nor early");
  return { kind: "identity", id, update, version };
}

/** Which hosts a CRL may come from is the service's to decide. */
function crlRequest(query: Query): CrlRequest {
  const url = query.get("uri");
  if (url === undefined || url === "" || url.length > MAX_CRL_URL || !/^[\x21-\x7e]+$/.test(url)) {
    throw new ServiceRefusal(400, `uri is not 1 to ${MAX_CRL_URL} printable characters`);
  }
  return { kind: "crl", url };
}

/** Of POST /platforms: `all` too. */
export function registrationUpdate(query: Query): TcbUpdate | "all" {
  const value = query.get("update");
  if (value?.toLowerCase() === "all") return "all";
  const update = updateParameter(query);
  if (update === undefined) throw new ServiceRefusal(400, "update is not standard, early or all");
  return update;
}

/** `[FMSPC,FMSPC]` in brackets or without; undefined where one is no FMSPC. Empty: of all. */
export function fmspcList(text: string): readonly string[] | undefined {
  const names = text.trim() === "" ? [] : text.split(",").map((name) => name.trim().toUpperCase());
  return names.length <= MAX_FMSPCS && names.every((name) => /^[0-9A-F]{12}$/.test(name)) ? names : undefined;
}

const MAX_FMSPCS = 512;

function updateParameter(query: Query): TcbUpdate | undefined {
  const value = query.get("update")?.toLowerCase() ?? "";
  if (value === "" || value === "standard") return "standard";
  return value === "early" ? "early" : undefined;
}

function certificationCa(text: string | undefined): CertificationCa {
  const ca = text?.toLowerCase();
  if (ca !== "processor" && ca !== "platform") throw new ServiceRefusal(400, "ca is neither processor nor platform");
  return ca;
}

/** The client escapes an escaped URL: what arrives is escaped once still. The names are fixed in its source. */
function crlByAzureName(uri: string): PckCrlRequest | RootCaCrlRequest {
  const name = uri.toLowerCase();
  if (name.includes("intelsgxrootca.")) return { kind: "root-ca-crl" };
  if (name.includes("intelsgxpckprocessor.") || /ca(=|%3d)processor/.test(name)) {
    return { kind: "pck-crl", ca: "processor" };
  }
  if (name.includes("intelsgxpckplatform.") || /ca(=|%3d)platform/.test(name))
    return { kind: "pck-crl", ca: "platform" };
  throw new ServiceRefusal(400, "uri names no CRL of the provisioning service");
}

/** What a client asks for at one of the read endpoints. */
export function documentRequest(
  endpoint: "pckcert" | "pckcrl" | "tcb" | "qe/identity" | "qve/identity" | "rootcacrl" | "crl",
  query: Query,
  tee: Tee,
  version: ApiVersion,
): CollateralRequest {
  switch (endpoint) {
    case "pckcert":
      return pckCertificateRequest(query);
    case "pckcrl":
      return pckCrlRequest(query);
    case "tcb":
      return tcbInfoRequest(query, tee, version);
    case "qe/identity":
      return identityRequest(query, tee === "tdx" ? "TD_QE" : "QE", version);
    case "qve/identity":
      return identityRequest(query, "QVE", version);
    case "rootcacrl":
      return { kind: "root-ca-crl" };
    case "crl":
      return crlRequest(query);
  }
}
