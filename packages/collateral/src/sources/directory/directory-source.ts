import type { Collateral } from "@confcom/sgx";
import type { AnswerTo, CollateralAnswer } from "../../answer.ts";
import { selectPckCertificate } from "../../pck-selection/index.ts";
import {
  type PckSelection,
  type PlatformCollateral,
  PlatformCollateralRefusal,
  readPlatformCollateral,
} from "../../platform-collateral/index.ts";
import type { CollateralRequest } from "../../request.ts";
import type { CollateralSource } from "../../source.ts";
import { checkRequest, notFound, type Serves } from "../http-source.ts";
import { jsonValue, utf8Text } from "../json-answer.ts";
import { unusable } from "../unusable.ts";
import type { DirectoryFiles } from "./directory-files.ts";
import { isNineFields, nineFieldsAnswer } from "./nine-fields.ts";
import { platformFileAnswer } from "./platform-file.ts";
import { singleFileAnswer } from "./single-files.ts";

export interface DirectorySourceOptions {
  readonly files: DirectoryFiles;
  readonly serves?: Serves;
  /** Chooses a PCK certificate for a raw TCB that has none of its own; as Intel's library does, if left out. */
  readonly select?: PckSelection;
}

/** Bundles: some KiB of nine fields, or the certificates of thousands of platforms at 50 KiB each. */
const BUNDLES = { "collateral.json": 4 * 1024 * 1024, "platformcollateral.json": 256 * 1024 * 1024 } as const;

type Bundle =
  | { readonly form: "nine"; readonly content: Collateral }
  | { readonly form: "platforms"; readonly content: PlatformCollateral };

const asIntel: PckSelection = (certificates, tcbInfo, rawTcb) =>
  selectPckCertificate(certificates, tcbInfo, rawTcb)?.tcbm;

function readBundle(bytes: Uint8Array, file: string, source: string): Bundle {
  const value = jsonValue(utf8Text(bytes, source, file), source, file);
  if (isNineFields(value)) return { form: "nine", content: value };
  try {
    return { form: "platforms", content: readPlatformCollateral(value) };
  } catch (error) {
    if (!(error instanceof PlatformCollateralRefusal)) throw error;
    throw unusable(source, file, `is neither nine fields nor platformcollateral: ${error.message}`, error);
  }
}

/**
 * A directory of files, or one such file, for machines without a network. Looked for in this order:
 *
 * | where | what |
 * |---|---|
 * | `sgx/certification/v4/tcb/<FMSPC>.json`, `.../qe/identity.json`, `.../qve/identity.json`, the same below `tdx/` and `v3/` | documents as the PCS serves them; `.early.json` for early ones |
 * | `sgx/certification/v4/pckcrl/<ca>.der`, `.../rootcacrl.der` | CRLs: DER, hexadecimal or PEM |
 * | `sgx/certification/v4/pckcert/<QE ID>/<PCEID>/<CPUSVN><PCESVN>.pem` | PCK certificates, names in upper case |
 * | the same without its ending and with `.issuer-chain.pem` | the chain of each of these but the root CA's CRL |
 * | what `confcom collateral export` writes | `tcb-info.json`, `qe-identity.json`, `pck-crl-<ca>.der`, `root-ca-crl.der`, their `-issuer-chain.pem` |
 * | `collateral.json` | nine fields, as verifiers exchange them |
 * | `platformcollateral.json` | Intel's format, as PCCS administration tools write it |
 *
 * A file given instead of a directory has one of the last two forms. Files are read when they are asked for, so replacing
 * one (by rename) is enough. Fails with NOT_FOUND, SOURCE_ANSWER or SOURCE_UNREACHABLE.
 */
export function directorySource({ files, serves = "all", select = asIntel }: DirectorySourceOptions): CollateralSource {
  const name = `directory ${files.name}`;
  const kept = new Map<string, { readonly stamp: string; readonly bundle: Bundle }>();

  const bundleOf = async (file: keyof typeof BUNDLES): Promise<Bundle | undefined> => {
    const known = kept.get(file);
    const found = await files.read(file, BUNDLES[file], known?.stamp);
    if (found === "unchanged") return known?.bundle;
    kept.delete(file);
    if (found === undefined) return undefined;
    const bundle = readBundle(found.bytes, file, name);
    kept.set(file, { stamp: found.stamp, bundle });
    return bundle;
  };
  const answerOf = async (request: CollateralRequest): Promise<CollateralAnswer | undefined> => {
    const single = await singleFileAnswer(request, files, name);
    if (single !== undefined) return single;
    for (const file of Object.keys(BUNDLES) as (keyof typeof BUNDLES)[]) {
      const bundle = await bundleOf(file);
      const answer =
        bundle?.form === "nine"
          ? nineFieldsAnswer(request, bundle.content, name)
          : bundle && (await platformFileAnswer(request, bundle.content, select, name));
      if (answer !== undefined) return answer;
    }
    return undefined;
  };

  return {
    kind: "directory",
    name,
    async fetch<R extends CollateralRequest>(request: R) {
      checkRequest(serves, request, name);
      const answer = await answerOf(request);
      if (answer === undefined) throw notFound(name, `has no file for ${request.kind}`);
      return { answer: answer as AnswerTo<R> };
    },
  };
}
