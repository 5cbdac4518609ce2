import { type CollateralProvider, collateralForQuote, type QuoteCollateral } from "@confcom/collateral";
import { INTEL_SGX_ROOT_KEY, readEmbeddedQuote, trustedRootFromCertificate } from "@confcom/verify";
import type { QuoteInput } from "../input/quote-input.ts";
import { readInput } from "../input/read-input.ts";
import type { Output } from "../terminal/output.ts";
import type { CollateralFlags } from "./collateral-flags.ts";
import { openProvider } from "./open-provider.ts";
import { assertTrustedRoot } from "./quote-root.ts";
import { readConfiguration } from "./read-configuration.ts";

/** The keys of `--trust-root`, Intel's if none is named. */
export function trustedRoots(paths: readonly string[] | undefined): Uint8Array[] {
  if (paths === undefined || paths.length === 0) return [INTEL_SGX_ROOT_KEY];
  return paths.map((path) => trustedRootFromCertificate(readInput(path, "the root certificate")));
}

/** What a quote needs, from what this machine and the command line configure. Throws CollateralError, CommandError. */
export async function fetchCollateral(
  input: QuoteInput,
  flags: CollateralFlags,
  roots: readonly Uint8Array[],
  output: Output,
): Promise<QuoteCollateral> {
  const quote = input.kind === "certificate" ? readEmbeddedQuote(input.bytes).quote : input.bytes;
  assertTrustedRoot(quote, roots);
  const configuration = readConfiguration(flags, output);
  const { provider, close } = await openProvider(configuration, roots, output);
  let failure: unknown;
  try {
    return await collect(provider, quote, configuration);
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    close(failure);
  }
}

function collect(provider: CollateralProvider, quote: Uint8Array, configuration: ReturnType<typeof readConfiguration>) {
  return collateralForQuote(provider, quote, {
    update: configuration.update.value,
    version: configuration.apiVersion.value,
  });
}
