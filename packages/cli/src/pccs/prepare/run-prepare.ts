import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { writeResult } from "../../output-file.ts";
import { openState, systemRandom } from "../../quote-helper/state.ts";
import type { Output } from "../../terminal/output.ts";
import { printable } from "../../terminal/printable.ts";
import { usage } from "../../usage-error.ts";
import { preparedFiles } from "./prepared-files.ts";
import { ensureRegistrationToken } from "./registration-token.ts";
import { ensureTlsFiles, shortAddress } from "./tls-files.ts";

export interface PrepareOptions {
  readonly state: string;
  readonly dnsName?: readonly string[];
  readonly ipAddress?: readonly string[];
  readonly userTokenOut?: string;
  readonly json?: boolean;
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const DNS_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const NAME_LIMIT = 253;
/** Names and addresses: a certificate is sent at every connection. */
const MOST_NAMES = 64;

/** `confcom pccs prepare`: makes what the service needs and has not yet; what is there stays. */
export async function prepare(options: PrepareOptions, output: Output): Promise<void> {
  const names = serverNames(options);
  const warn = (text: string) => output.note(`warning: ${printable(text)}`);
  const state = openState(options.state, warn);
  const files = preparedFiles(state.path);
  const now = new Date();
  state.removeLeftovers(now);
  const [tls, registration] = [openState(files.tls, warn), openState(files.registration, warn)];
  for (const each of [tls, registration]) each.removeLeftovers(now);
  const made = await ensureTlsFiles({ state: tls, names, now, warn });
  const { token, made: tokenMade } = ensureRegistrationToken({ state: registration, now, random: systemRandom, warn });
  if (options.userTokenOut !== undefined) {
    writeResult(output, options.userTokenOut, new TextEncoder().encode(`${token}\n`), 0o600);
  }
  const report = {
    authority: { ...certificateFacts(made.authority), file: files.ca, made: made.made.authority },
    server: { ...certificateFacts(made.server), ...made.names, file: files.server, made: made.made.server },
    userToken: { file: files.userToken, hashes: files.userTokenHashes, made: tokenMade },
  };
  if (options.json) output.json(report);
  else {
    const line = (what: string, { file, made }: { file: string; made: boolean }) =>
      output.line(`${what.padEnd(18)} ${made ? "made" : "kept"}  ${printable(file)}`);
    line("TLS authority", report.authority);
    line("server certificate", report.server);
    line("user token", report.userToken);
  }
}

function certificateFacts(certificate: X509Certificate) {
  const { fingerprint256, validToDate } = certificate;
  return { fingerprint: `SHA-256 ${fingerprint256}`, notAfter: validToDate.toISOString() };
}

function serverNames({ dnsName = [], ipAddress = [] }: PrepareOptions) {
  const dnsNames = [...new Set(dnsName)];
  for (const address of ipAddress) {
    if (isIP(address) === 0) throw usage(`--ip-address takes an IP address, got "${address}"`, "pccs prepare");
  }
  const ipAddresses = [...new Set(ipAddress.map(shortAddress))];
  if (dnsNames.length + ipAddresses.length === 0) {
    throw usage("--dns-name says what clients call the service", "pccs prepare");
  }
  if (dnsNames.length + ipAddresses.length > MOST_NAMES) {
    throw usage(`a certificate for at most ${MOST_NAMES} names is made`, "pccs prepare");
  }
  for (const name of dnsNames) {
    if (name.length <= NAME_LIMIT && DNS_NAME.test(name) && isIP(name) === 0) continue;
    throw usage(`--dns-name takes a host name in lower case, got "${name}"`, "pccs prepare");
  }
  return { dnsNames, ipAddresses };
}
