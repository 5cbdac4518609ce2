import { toHex } from "@confcom/sgx";
import type { StateDirectory } from "../../state/index.ts";
import type { PckRequest } from "../provisioning-authority.ts";
import type { AuthorityKeys } from "./authority-record.ts";
import { outlivesRenewal } from "./signed-collateral.ts";
import { decodeStateRecord, encodeStateRecord, hasTexts } from "./state-record.ts";

const KIND = "confcom PCK certificate 1";

/** `pck-<CPUSVN in hex>-<PCESVN>.json`: one certificate for each TCB. */
export function pckFileName(request: PckRequest): string {
  return `pck-${toHex(request.cpuSvn)}-${request.pceSvn}.json`;
}

/** What a certificate was issued for, and by whom: stored beside it, and compared before it is used again. */
function issuedFor(keys: AuthorityKeys, request: PckRequest): string {
  return JSON.stringify([
    keys.platform.certificate,
    keys.platformInstanceId,
    toHex(request.ppid),
    toHex(request.cpuSvn),
    request.pceSvn,
    request.pceId,
    toHex(request.pckPublicKey),
  ]);
}

/** The stored leaf certificate (PEM) for exactly this request, unless it is missing, damaged or about to expire. */
export function readPckCertificate(
  state: StateDirectory,
  keys: AuthorityKeys,
  request: PckRequest,
  now: Date,
): string | undefined {
  const bytes = state.read(pckFileName(request));
  const content = bytes && decodeStateRecord(KIND, bytes);
  if (!hasTexts(content, "issuedFor", "certificate") || content.issuedFor !== issuedFor(keys, request))
    return undefined;
  return outlivesRenewal(content.certificate, now) ? content.certificate : undefined;
}

/**
 * Stores a newly issued leaf and returns the one to use: of two processes that issue for the same request at the same
 * time, both use the certificate of the one that was first.
 */
export function storePckCertificate(
  state: StateDirectory,
  keys: AuthorityKeys,
  request: PckRequest,
  certificate: string,
  now: Date,
): string {
  const record = encodeStateRecord(KIND, { issuedFor: issuedFor(keys, request), certificate });
  const name = pckFileName(request);
  if (state.createOnce(name, record)) return certificate;
  const stored = readPckCertificate(state, keys, request, now);
  if (stored !== undefined) return stored;
  state.replace(name, record);
  return certificate;
}
