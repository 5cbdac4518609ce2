import { CollateralError, messageOf } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import type { CollateralSource } from "../source.ts";
import { type ThimSourceOptions, thimSource } from "./thim-source.ts";

export interface ThimWithRegionOptions extends Omit<ThimSourceOptions, "tdxUrl"> {
  /** What follows the region in the name of its cache, with its dot: `.thim.azure.net/sgx/certification`. */
  readonly tdxSuffix: string;
  /** The region this machine is in: see `azureRegion`. Asked when TDX collateral is, and again if that failed. */
  readonly region: (signal: AbortSignal) => Promise<string>;
}

function isOfTdx(request: CollateralRequest): boolean {
  return request.kind === "tcb-info" ? request.tee === "tdx" : request.kind === "identity" && request.id === "TD_QE";
}

/**
 * {@link thimSource} for a configuration that does not name the region: as az-dcap-client does, the instance is asked for it (spec:
 * DCAP §14). On a machine that is not Azure's, TDX collateral is NOT_FOUND here, with the reason.
 */
export function thimSourceWithRegion({ tdxSuffix, region, ...options }: ThimWithRegionOptions): CollateralSource {
  const plain = thimSource(options);
  let ofRegion: CollateralSource | undefined;
  return {
    kind: plain.kind,
    name: plain.name,
    async fetch(request, { signal }) {
      if (!isOfTdx(request)) return plain.fetch(request, { signal });
      if (ofRegion === undefined) {
        let found: string;
        try {
          found = await region(signal);
        } catch (cause) {
          const why = messageOf(cause);
          const problem = `${plain.name}: the region, which TDX needs, is not known; AZDCAP_REGION_URL names it (${why})`;
          throw new CollateralError("NOT_FOUND", problem, { cause, source: plain.name });
        }
        ofRegion = thimSource({ ...options, tdxUrl: `https://${found}${tdxSuffix}/` });
      }
      return ofRegion.fetch(request, { signal });
    },
  };
}
