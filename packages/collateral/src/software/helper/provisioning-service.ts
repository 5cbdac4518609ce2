import type { StateDirectory, StateWarning } from "@confcom/quoting";
import type { Clock, Random } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import { addressOfText, httpClient } from "../../http/index.ts";
import { pccsSource } from "../../sources/pccs-source.ts";
import { readProvisioningRecord, writeProvisioningRecord } from "./provisioning-record.ts";
import { fingerprint, openRemoteAuthority, type RemoteProvisioningAuthority } from "./remote-authority.ts";

export interface ProvisioningServiceOptions {
  readonly state: StateDirectory;
  /** As a person names it: https://HOST:PORT, or with the whole path. Plain http is for this machine alone. */
  readonly url: string;
  /** PEM: the root that chains must end in. */
  readonly rootCertificatePem: string;
  /** PEM: trusted for the service's TLS certificate instead of the well-known CAs. */
  readonly tlsCa?: string;
  /** Asked at each registration; left out, registering is tried without. */
  readonly userToken?: () => string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly warn?: StateWarning;
}

const API_PATH = "/sgx/certification/v4/";
const THIS_MACHINE = ["localhost", "127.0.0.1", "[::1]"];

/** The API's base URL of a service, ending in "/". Fails with CONFIGURATION. */
export function provisioningServiceUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const refuse = (why: string) => new CollateralError("CONFIGURATION", `provisioning service: ${why}`);
  if (url === undefined || !["https:", "http:"].includes(url.protocol)) {
    throw refuse("its address is not of the form https://HOST:PORT");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw refuse(`${addressOfText(text)} must be without user, password, query and fragment`);
  }
  if (url.protocol === "http:" && !THIS_MACHINE.includes(url.hostname)) {
    throw refuse(`${addressOfText(text)} would carry the user token in clear; https, or http on this machine only`);
  }
  if (url.pathname === "/") return `${url.origin}${API_PATH}`;
  return url.href.endsWith("/") ? url.href : `${url.href}/`;
}

/**
 * The authority behind a PCCS-compatible service, over HTTP. Nothing is asked yet. Fails with CONFIGURATION for the
 * address, VerifyError for the root, and STATE_*.
 */
export function openProvisioningService(options: ProvisioningServiceOptions): RemoteProvisioningAuthority {
  const { state, rootCertificatePem, tlsCa, userToken = () => undefined, clock, random, warn } = options;
  const baseUrl = provisioningServiceUrl(options.url);
  const http = httpClient({
    clock,
    deadlines: { connectMs: 4_000, firstByteMs: 8_000, bodyMs: 4_000 },
    ...(tlsCa === undefined ? {} : { tls: { ca: tlsCa } }),
  });
  const source = pccsSource({ http, baseUrl });
  return openRemoteAuthority({
    state,
    source,
    desk: { http, name: source.name, baseUrl, userToken },
    rootCertificatePem,
    ...(tlsCa === undefined ? {} : { tlsCa }),
    clock,
    random,
    ...(warn === undefined ? {} : { warn }),
  });
}

/**
 * Goes back to the platform's own authority: what the service gave is kept and not used. Says that the root changes.
 * Does nothing on a state directory that no service certifies.
 */
export function leaveProvisioningService(state: StateDirectory, warn: StateWarning): void {
  const record = readProvisioningRecord(state);
  if (record?.inUse !== true) return;
  writeProvisioningRecord(state, { ...record, inUse: false });
  warn(
    `the platform was certified by ${addressOfText(record.url)} under the root ${fingerprint(record.root)} and goes back to its own provisioning authority: the attestation key stays, the root certificate is another one, and verifiers must trust that`,
  );
}
