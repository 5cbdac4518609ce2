import { PlatformError } from "@confcom/quoting";
import type { Clock } from "../../clock.ts";
import { CollateralError } from "../../errors.ts";
import type { AttemptsStatus } from "./attempts.ts";
import { nobodysKey } from "./nobodys-key.ts";
import type { RemoteProvisioningAuthority } from "./remote-authority.ts";

/** How soon it is worth looking again, ms. */
const PAUSE_MS = 1000;

/**
 * Stands in for a service that cannot be asked yet, because nobody has said which root its answers must stand under: it
 * certifies nothing, and everybody who asks is told what is waited for (ISSUER_UNREACHABLE). `rootCertificatePem` is "".
 */
export function awaitedAuthority(name: string, why: () => string, clock: Clock): RemoteProvisioningAuthority {
  let failed = 0;
  let failure: AttemptsStatus["failure"];
  return {
    remote: true,
    name,
    rootCertificatePem: "",
    encryptionKey: nobodysKey(),
    get status() {
      return {
        succeeded: 0,
        failed: failed === 0 ? {} : { ISSUER_UNREACHABLE: failed },
        lastSuccess: undefined,
        failure,
        notBefore: (failure?.at ?? clock.now()) + PAUSE_MS,
      };
    },
    pckChain: async () => {
      const message = `${name} cannot be asked yet: ${why()}`;
      failed++;
      failure = { code: "ISSUER_UNREACHABLE", message, at: clock.now() };
      throw new PlatformError("ISSUER_UNREACHABLE", message);
    },
    collateral: async () => {
      throw new CollateralError("SOURCE_UNREACHABLE", `${name} cannot be asked yet: ${why()}`);
    },
  };
}
