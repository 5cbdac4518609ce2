import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIPv6 } from "node:net";
import { type CertifiedKey, createAuthority, issueServerCertificate } from "@confcom/kubernetes/tls-authority";
import type { StateDirectory, StateWarning } from "@confcom/quoting";
import { AUTHORITY_FILE, CA_FILE, SERVER_FILE } from "./prepared-files.ts";

export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export interface TlsFilesOptions {
  /** The directory of these files alone. */
  readonly state: StateDirectory;
  /** What clients call the server; undefined: what the present certificate says. */
  readonly names: ServerNames | undefined;
  readonly now: Date;
  readonly warn: StateWarning;
}

export interface TlsFiles {
  readonly authority: X509Certificate;
  readonly server: X509Certificate;
  readonly names: ServerNames;
  /** What was made now; false: it was there. */
  readonly made: { readonly authority: boolean; readonly server: boolean };
}

const DAY = 86_400_000;
/** Clients are given another authority by hand or by ConfigMap: seldom. A server's certificate is renewed by itself. */
const AUTHORITY_LIFE = 20 * 365 * DAY;
const SERVER_LIFE = 90 * DAY;
/** The clocks of two machines differ. */
const CLOCK_ALLOWANCE = 3_600_000;

/**
 * Makes what is missing of authority and server certificate, and renews the latter when its names changed or a third of
 * its life is left. An authority is kept while it can vouch for a whole server certificate. Whenever it is stopped, the
 * next call finds each file whole. Fails with STATE_*, and with RangeError when there is neither a certificate nor a name.
 */
export async function ensureTlsFiles(options: TlsFilesOptions): Promise<TlsFiles> {
  const { state, now } = options;
  const authority = await ensureAuthority(options);
  // A copy: whoever wants the certificate need not read a file with a key.
  if (text(state, CA_FILE) !== authority.key.certificate) state.replace(CA_FILE, encode(authority.key.certificate));
  const issuer = new X509Certificate(authority.key.certificate);
  const present = readCertifiedKey(text(state, SERVER_FILE));
  const names = options.names ?? (present === undefined ? undefined : namesOf(present.certificate));
  if (names === undefined)
    throw new RangeError(`there is no ${SERVER_FILE} in ${state.path} that says the server's names`);
  const made = { authority: authority.made, server: true };
  if (present !== undefined && isGood(present.certificate, issuer, names, now)) {
    return { authority: issuer, server: present.certificate, names, made: { ...made, server: false } };
  }
  const server = await issueServerCertificate(authority.key, { ...names, ...validity(now, SERVER_LIFE) });
  state.replace(SERVER_FILE, encode(server.certificate + server.privateKey));
  return { authority: issuer, server: new X509Certificate(server.certificate), names, made };
}

async function ensureAuthority({ state, now, warn }: TlsFilesOptions) {
  const present = text(state, AUTHORITY_FILE);
  const read = readCertifiedKey(present);
  const known = read?.certificate.verify(read.certificate.publicKey) === true ? read : undefined;
  if (known !== undefined && known.certificate.validToDate.getTime() - now.getTime() >= SERVER_LIFE) {
    return { key: known.key, made: false };
  }
  if (present !== undefined) {
    const aside = state.moveAside(AUTHORITY_FILE, now);
    const why = known === undefined ? "cannot be read" : `ends ${known.certificate.validTo}`;
    warn(`${AUTHORITY_FILE} ${why}; moved to ${aside}, and another authority is made: clients need its certificate`);
  }
  const made = await createAuthority({ commonName: "confcom PCCS CA", ...validity(now, AUTHORITY_LIFE) });
  // Another process may have come first: then that one's is the authority.
  const first = state.createOnce(AUTHORITY_FILE, encode(made.certificate + made.privateKey));
  const winner = first ? undefined : readCertifiedKey(text(state, AUTHORITY_FILE));
  return { key: winner?.key ?? made, made: first };
}

function validity(now: Date, life: number) {
  return { notBefore: new Date(now.getTime() - CLOCK_ALLOWANCE), notAfter: new Date(now.getTime() + life) };
}

function isGood(certificate: X509Certificate, issuer: X509Certificate, names: ServerNames, now: Date): boolean {
  const [from, to] = [certificate.validFromDate.getTime(), certificate.validToDate.getTime()];
  const left = to - now.getTime();
  if (now.getTime() < from || left <= (to - from) / 3) return false;
  return certificate.verify(issuer.publicKey) && isSame(namesOf(certificate), names);
}

function isSame(one: ServerNames, other: ServerNames): boolean {
  const sorted = ({ dnsNames, ipAddresses }: ServerNames) => [...dnsNames, ...ipAddresses].toSorted().join(" ");
  return sorted(one) === sorted(other);
}

/** The names of a certificate that {@link issueServerCertificate} made: DNS names and addresses, no others. */
function namesOf(certificate: X509Certificate): ServerNames {
  const entries = (certificate.subjectAltName ?? "").split(", ");
  const of = (prefix: string) =>
    entries.filter((entry) => entry.startsWith(prefix)).map((entry) => entry.slice(prefix.length));
  return { dnsNames: of("DNS:"), ipAddresses: of("IP Address:").map(shortAddress) };
}

/** An IP address as it is usually written: of IPv6 several texts are the same. */
export function shortAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}

/** Certificate and key out of one PEM text; undefined when they are not both there, or do not belong together. */
function readCertifiedKey(pem: string | undefined): { key: CertifiedKey; certificate: X509Certificate } | undefined {
  const block = (label: string) =>
    new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`).exec(pem ?? "")?.[0];
  const [certificate, privateKey] = [block("CERTIFICATE"), block("PRIVATE KEY")];
  if (certificate === undefined || privateKey === undefined) return undefined;
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.checkPrivateKey(createPrivateKey(privateKey))) return undefined;
    return { key: { certificate, privateKey }, certificate: parsed };
  } catch {
    return undefined;
  }
}

function text(state: StateDirectory, name: string): string | undefined {
  const bytes = state.read(name);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function encode(pem: string): Uint8Array {
  return new TextEncoder().encode(pem);
}
