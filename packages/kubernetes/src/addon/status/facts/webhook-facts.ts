import { X509Certificate } from "node:crypto";
import { at, listAt, textAt } from "./json.ts";

export interface WebhookFacts {
  /** False where the configuration does not exist: the API server calls nobody. */
  readonly configured: boolean;
  readonly bundles: readonly BundleFacts[];
  /** Addresses behind its Service that are ready; null where that could not be read. */
  readonly readyEndpoints: number | null;
}

/** The caBundle of one entry of the configuration. */
export interface BundleFacts {
  readonly webhook: string;
  /** When the last of its certificates ends, ms since 1970; null where there is no certificate. */
  readonly endsAt: number | null;
}

/** A bundle holds an old and a new CA at most; what is larger is not looked at. Characters of base64. */
const BUNDLE_LIMIT = 1 << 20;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,65536}?-----END CERTIFICATE-----/g;

export function bundleFacts(configuration: unknown): BundleFacts[] {
  return listAt(configuration, "webhooks").map((entry) => ({
    webhook: textAt(entry, "name"),
    endsAt: bundleEnd(entry),
  }));
}

function bundleEnd(entry: unknown): number | null {
  // Not as other texts, which are cut.
  const encoded = at(entry, "clientConfig", "caBundle");
  if (typeof encoded !== "string" || encoded.length > BUNDLE_LIMIT) return null;
  const pem = Buffer.from(encoded, "base64").toString("latin1");
  const ends = (pem.match(CERTIFICATE) ?? []).slice(0, 16).flatMap(certificateEnd);
  return ends.length === 0 ? null : Math.max(...ends);
}

function certificateEnd(pem: string): number[] {
  try {
    const time = Date.parse(new X509Certificate(pem).validTo);
    return Number.isNaN(time) ? [] : [time];
  } catch {
    return [];
  }
}

/** Ready addresses in the EndpointSlices of a Service. */
export function readyAddresses(slices: readonly unknown[]): number {
  return slices
    .flatMap((slice) => listAt(slice, "endpoints"))
    .filter((endpoint) => at(endpoint, "conditions", "ready") !== false)
    .reduce((sum: number, endpoint) => sum + listAt(endpoint, "addresses").length, 0);
}
