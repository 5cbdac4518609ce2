import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { nodeFileSystem, StateDirectory } from "@confcom/quoting";
import {
  AUTHORITY_FILE,
  type CrlIssuer,
  REVOCATION_REASONS,
  type RevocationReason,
} from "@confcom/quoting/provisioning";
import { CommandError } from "../command-error.ts";
import { ExitCode } from "../exit-code.ts";
import type { Output } from "../terminal/output.ts";
import { usage } from "../usage-error.ts";

export interface RevokeOptions {
  readonly state: string;
  readonly reason: string;
  readonly issuer: CrlIssuer;
  readonly json?: boolean;
}

/**
 * `confcom pccs revoke SERIAL`: puts a certificate of the software platform's authority on its issuer's CRL. It works on the
 * authority's files, beside a service that runs, which notices and serves the new CRLs.
 */
export async function revoke(serialText: string, options: RevokeOptions, output: Output): Promise<void> {
  const { issuer } = options;
  const reason = REVOCATION_REASONS.find((known) => known === options.reason);
  if (reason === undefined) throw usage(`--reason is one of ${REVOCATION_REASONS.join(", ")}`, "pccs revoke");
  // As openssl prints it, with colons too.
  const serial = serialText.replaceAll(":", "").toLowerCase();
  if (!/^(?:[0-9a-f]{2}){1,20}$/.test(serial)) {
    throw usage(`"${serialText}" is no serial number: 1 to 20 bytes in hexadecimal`, "pccs revoke");
  }
  const upstream = await openAuthority(options.state);
  const issued = upstream.hasIssued(serial, issuer);
  await upstream.revoke(serial, reason satisfies RevocationReason, issuer);
  if (options.json) output.json({ revoked: serial, issuer, reason, issued });
  else {
    output.line(`revoked ${serial}, ${issuer} CA, ${reason}`);
    if (!issued) output.note("No certificate with this serial number is on record here: check it.");
  }
}

/** Never makes an authority: revoking what a new one did not issue would say nothing to anybody. */
async function openAuthority(stateDirectory: string) {
  const { openSoftwareUpstream, SOFTWARE_AUTHORITY_DIRECTORY } = await import("@confcom/collateral/software");
  const path = join(stateDirectory, SOFTWARE_AUTHORITY_DIRECTORY);
  if (!existsSync(join(path, AUTHORITY_FILE))) {
    throw new CommandError(
      "CLI_INPUT_UNREADABLE",
      `there is no software platform's authority in ${path}`,
      "Name the state directory of a service that runs with --upstream software.",
      { exitCode: ExitCode.BAD_INPUT },
    );
  }
  return openSoftwareUpstream({
    state: StateDirectory.open(path, nodeFileSystem),
    now: () => new Date(),
    random: (size) => new Uint8Array(randomBytes(size)),
  });
}
