import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Collateral, QveCollateral } from "@confcom/verify";
import { CommandError } from "../command-error.ts";
import { readInput } from "./read-input.ts";

type Ca = "platform" | "processor";

/** One file for each document, as `collateral export` names them. */
const FILES = {
  root_ca_crl: () => "root-ca-crl.der",
  pck_crl: (ca: Ca) => `pck-crl-${ca}.der`,
  pck_crl_issuer_chain: (ca: Ca) => `pck-crl-${ca}-issuer-chain.pem`,
  tcb_info: () => "tcb-info.json",
  tcb_info_issuer_chain: () => "tcb-info-issuer-chain.pem",
  qe_identity: () => "qe-identity.json",
  qe_identity_issuer_chain: () => "qe-identity-issuer-chain.pem",
} as const;

const WHOLE = "collateral.json";

/**
 * Reads collateral: a JSON file with the nine fields (or Intel's seven), or a directory in the form of `collateral export`.
 * A directory's documents are taken one by one if it has all that the quote's `ca` needs, else its `collateral.json`.
 */
export function readCollateral(path: string, ca: () => Ca): Collateral | QveCollateral {
  if (path === "-" || !existsSync(path) || !statSync(path).isDirectory()) return readWhole(path);
  const issuer = ca();
  const names = Object.values(FILES).map((name) => name(issuer));
  if (names.every((name) => existsSync(join(path, name)))) return readDocuments(path, issuer);
  if (existsSync(join(path, WHOLE))) return readWhole(join(path, WHOLE));
  throw new CommandError(
    "CLI_INPUT_UNREADABLE",
    `the directory ${path} has neither ${WHOLE} nor all of ${names.join(", ")}`,
    "Fill it with `confcom collateral export --out DIR`, or put the documents there under these names.",
  );
}

function readDocuments(directory: string, ca: Ca): QveCollateral {
  const bytes = (field: keyof typeof FILES) => readInput(join(directory, FILES[field](ca)), "the collateral");
  const text = (field: keyof typeof FILES) => new TextDecoder().decode(bytes(field));
  return {
    root_ca_crl: bytes("root_ca_crl"),
    pck_crl: bytes("pck_crl"),
    pck_crl_issuer_chain: text("pck_crl_issuer_chain"),
    tcb_info: text("tcb_info"),
    tcb_info_issuer_chain: text("tcb_info_issuer_chain"),
    qe_identity: text("qe_identity"),
    qe_identity_issuer_chain: text("qe_identity_issuer_chain"),
  };
}

function readWhole(file: string): Collateral | QveCollateral {
  const text = new TextDecoder().decode(readInput(file, "the collateral"));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) throw new Error("it is not a JSON object");
    return value as Collateral | QveCollateral;
  } catch (cause) {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `${file} is not collateral: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Pass the JSON that `confcom collateral export --out FILE.json` writes, or its directory.",
      { cause },
    );
  }
}
