import { X509Certificate } from "node:crypto";
import { type CertifiedKey, issueServerCertificate, type RandomBytes } from "../../tls-authority/index.ts";
import type { Authority } from "./authority-certificate.ts";
import type { AuthorityState } from "./authority-state.ts";

/** What this replica shows to the API server. */
export interface ServingCertificate extends CertifiedKey {
  readonly authority: Authority;
  readonly serialNumber: string;
  /** Milliseconds since 1970. */
  readonly issuedAt: number;
  readonly notAfter: number;
}

/** How far back certificates begin: the clocks of the machines differ, ms. */
export const BACKDATED = 3_600_000;

/**
 * The authority to issue a new serving certificate under, or undefined where the one there is may stay. An authority
 * that some caBundle lacks is chosen never; one that it has lately got, only if nothing better is there.
 */
export function authorityToServeUnder(
  { current }: AuthorityState,
  serving: ServingCertificate | undefined,
  trustedFor: (fingerprint: string) => number | undefined,
  { now, propagation }: { readonly now: number; readonly propagation: number },
): Authority | undefined {
  // One that is not valid yet is of use to no client.
  const trusted = current.notBefore > now ? undefined : trustedFor(current.fingerprint);
  if (serving === undefined) return trusted === undefined ? undefined : current;
  const old = now >= serving.issuedAt + ((serving.notAfter - serving.issuedAt) * 2) / 3;
  if (serving.authority.fingerprint === current.fingerprint) return old ? current : undefined;
  const useless = trustedFor(serving.authority.fingerprint) === undefined || serving.notAfter <= now;
  if (trusted !== undefined && (trusted >= propagation || useless)) return current;
  return old && serving.authority.notAfter > now ? serving.authority : undefined;
}

/** A certificate for `dnsNames`, for `life` ms or as long as its authority lives. */
export async function issueServing(
  authority: Authority,
  dnsNames: readonly string[],
  { now, life, random }: { readonly now: number; readonly life: number; readonly random?: RandomBytes },
): Promise<ServingCertificate> {
  const request = { dnsNames, notBefore: new Date(now - BACKDATED), notAfter: new Date(now + life) };
  const issued = await issueServerCertificate(authority, request, random);
  const { serialNumber, validToDate } = new X509Certificate(issued.certificate);
  return {
    ...issued,
    authority,
    serialNumber: serialNumber.toLowerCase(),
    issuedAt: now,
    notAfter: validToDate.getTime(),
  };
}

/** Names by which the API server calls a Service; it uses the third. */
export function serviceNames(service: string, namespace: string): readonly string[] {
  return [
    service,
    `${service}.${namespace}`,
    `${service}.${namespace}.svc`,
    `${service}.${namespace}.svc.cluster.local`,
  ];
}
