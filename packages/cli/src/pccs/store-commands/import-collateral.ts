import {
  PlatformCollateralRefusal,
  platformCollateralChanges,
  readPlatformCollateral,
} from "@confcom/collateral/platform-collateral";
import { CommandError } from "../../command-error.ts";
import { readInput } from "../../input/read-input.ts";
import type { Output } from "../../terminal/output.ts";
import { progressLines } from "./progress.ts";
import { type StorePlace, withStore } from "./store-place.ts";
import { trustedRoots } from "./trusted-roots.ts";

/** Bytes: what a JavaScript string can hold. */
const LIMIT = 500 * 1024 * 1024;

export interface ImportOptions extends StorePlace {
  readonly trustedRoot?: readonly string[];
  readonly json?: boolean;
}

/** `confcom pccs import FILE`: all of it in one transaction, or nothing. */
export async function importCollateral(file: string, options: ImportOptions, output: Output): Promise<void> {
  const content = parse(readInput(file, "the platform collateral", LIMIT), file);
  await withStore(options, { readOnly: false, report: (line) => output.note(line) }, async (store) => {
    // A file of v4 says so; those of v3 need not.
    const collateral = refusing(file, () => readPlatformCollateral(content, 3));
    const rootCaCrl = (await store.rootCaCrl())?.crl;
    const changes = await refusing(file, () =>
      platformCollateralChanges(collateral, {
        terms: {
          trustedRoots: trustedRoots("--trusted-root", options.trustedRoot),
          ...(rootCaCrl === undefined ? {} : { rootCaCrl }),
        },
        knownRawTcbs: (key) => store.rawTcbs(key),
        knownPckChain: async (ca) => (await store.pckChain(ca)) ?? (await store.pckCrl(ca))?.issuerChain,
        leftOut: (what) => output.note(`left out: ${what}`),
        progress: progressLines(output, "platforms checked"),
      }),
    );
    await store.write(changes);
    const platforms = collateral.certificates.length;
    const documents = collateral.tcbInfos.length + collateral.identities.length;
    if (options.json) output.json({ imported: { platforms, documents, rows: changes.length }, store: store.name });
    else output.line(`imported ${platforms} platforms and ${documents} documents into ${store.name}`);
  });
}

function parse(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed(file, `is not JSON: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function refusing<T>(file: string, work: () => T): T {
  const refused = (error: unknown): never => {
    if (error instanceof PlatformCollateralRefusal) throw malformed(file, `is refused: ${error.message}`, error);
    throw error;
  };
  try {
    const result = work();
    return result instanceof Promise ? (result.catch(refused) as T) : result;
  } catch (error) {
    return refused(error);
  }
}

function malformed(file: string, what: string, cause: unknown): CommandError {
  return new CommandError(
    "CLI_INPUT_MALFORMED",
    `${file} ${what}`,
    "Nothing was imported. Fetch the file again, or name the root that signed it with --trusted-root.",
    { cause },
  );
}
