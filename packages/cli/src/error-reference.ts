import { AESM_ERROR_CODES } from "@confcom/aesm";
import { COLLATERAL_ERRORS } from "@confcom/collateral";
import { KUBERNETES_ERRORS } from "@confcom/kubernetes";
import { QUOTING_ERRORS } from "@confcom/quoting";
import { AESM_ERRORS, QUOTE3_ERRORS, QV_RESULTS, SGX_FORMAT_ERRORS, SGX_STATUS } from "@confcom/sgx";
import { VERIFY_ERRORS } from "@confcom/verify";
import { CLI_ERRORS } from "./command-error.ts";

type StringTable = Readonly<Record<string, string>>;
type WireTable = Readonly<Record<number, { readonly name: string; readonly explanation: string }>>;

const section = (title: string, intro: string, head: string, rows: readonly string[]): string =>
  [`## ${title}`, "", intro, "", head, ...rows, ""].join("\n");

const stringRows = (table: StringTable) => Object.entries(table).map(([code, text]) => `| \`${code}\` | ${text} |`);

const wireRows = (table: WireTable, format: (code: number) => string) =>
  Object.entries(table).map(
    ([code, { name, explanation }]) => `| ${format(Number(code))} | \`${name}\` | ${explanation} |`,
  );

const hex = (code: number) => `0x${code.toString(16).toUpperCase().padStart(4, "0")}`;

/** The text of docs/errors.md, made from the tables that the code uses. */
export function errorReference(): string {
  const codes = "| code | what it means, and what to do |\n|---|---|";
  const wire = "| code | name | what it means |\n|---|---|---|";
  return [
    "# Errors",
    "",
    "Every failure has a stable code. This file is written by `npm run docs:errors` from the tables in the code; a test compares them.",
    "",
    section("The command", "Failures that the command line itself finds.", codes, stringRows(CLI_ERRORS)),
    section("AESM client and server", "`AesmError.code` of `@confcom/aesm`.", codes, stringRows(AESM_ERROR_CODES)),
    section("Quoting platform", "`PlatformError.code` of `@confcom/quoting`.", codes, stringRows(QUOTING_ERRORS)),
    section(
      "Kubernetes",
      "`KubernetesError.code` of `@confcom/kubernetes`; the plugin's `/status` names them too.",
      codes,
      stringRows(KUBERNETES_ERRORS),
    ),
    section(
      "Collateral",
      "`CollateralError.code` of `@confcom/collateral`: the provider, its sources and caches, and the service.",
      codes,
      stringRows(COLLATERAL_ERRORS),
    ),
    section("Formats", "`SgxFormatError.code` of `@confcom/sgx`.", codes, stringRows(SGX_FORMAT_ERRORS)),
    section("Verification", "`VerifyError.code` of `@confcom/verify`.", codes, stringRows(VERIFY_ERRORS)),
    section("AESM wire codes", "`errorCode` of AESM replies (aesm_error_t).", wire, wireRows(AESM_ERRORS, String)),
    section("Client status", "What Intel's client library returns (sgx_status_t).", wire, wireRows(SGX_STATUS, hex)),
    section(
      "DCAP codes",
      "quote3_error_t: quoting calls and the `ret` of verification.",
      wire,
      wireRows(QUOTE3_ERRORS, hex),
    ),
    section("Verdicts", "sgx_ql_qv_result_t: the `result` of verification.", wire, wireRows(QV_RESULTS, hex)),
  ].join("\n");
}
