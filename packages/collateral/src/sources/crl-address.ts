import { CollateralError } from "../errors.ts";
import { addressOfText } from "../http/index.ts";

/** Longer distribution points are not asked for: the reference cache's own limit (spec: DCAP §12). */
const LONGEST = 2_048;

/** Where Intel's certificates say that their CRLs are. */
export const INTEL_CRL_ORIGINS: readonly string[] = [
  "https://certificates.trustedservices.intel.com",
  "https://api.trustedservices.intel.com",
];

/**
 * A CRL's distribution point that may be asked for: on one of the named origins (scheme, host and port). It comes from a
 * certificate, and whoever wrote that must not choose whom this host talks to. Fails with PARAMETER.
 */
export function allowedCrlUrl(text: string, origins: readonly string[], source: string): string {
  const url = text.length <= LONGEST && URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.username !== "" || url.password !== "" || !origins.includes(url.origin)) {
    throw new CollateralError(
      "PARAMETER",
      `${source}: a CRL is not fetched from ${addressOfText(text)}; it is on none of the hosts that are allowed`,
      { source },
    );
  }
  return text;
}
