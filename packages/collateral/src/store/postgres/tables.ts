/** The tables that changes are written to, and one statement for many rows of each. */

export interface Column {
  readonly name: string;
  readonly type: "text" | "integer" | "bigint" | "boolean" | "bytea";
}

export interface Table {
  readonly name: string;
  /** Those of the primary key first. */
  readonly columns: readonly Column[];
  readonly keyColumns: number;
  /** A row that was issued before the one there leaves that one. */
  readonly latestIssued: boolean;
}

export type Cell = string | number | boolean | Uint8Array;
export type Row = readonly Cell[];

const text = (...names: string[]): Column[] => names.map((name) => ({ name, type: "text" }));
const PLATFORM_KEY = text("qe_id", "pce_id");
const RAW_TCB_KEY = [...PLATFORM_KEY, ...text("cpu_svn", "pce_svn")];
const TIMES: readonly Column[] = [
  { name: "issued", type: "bigint" },
  { name: "next_update", type: "bigint" },
];
const VERSION: Column = { name: "version", type: "integer" };

function table(name: string, keyColumns: readonly Column[], columns: readonly Column[], latestIssued = false): Table {
  return { name, columns: [...keyColumns, ...columns], keyColumns: keyColumns.length, latestIssued };
}

/** In the order in which one transaction writes them. */
export const TABLES = {
  platform: table("platform", PLATFORM_KEY, text("platform_manifest", "encrypted_ppid", "fmspc", "ca")),
  pckChain: table("pck_chain", text("ca"), text("issuer_chain")),
  pckCertificate: table("pck_certificate", [...PLATFORM_KEY, ...text("tcbm")], text("certificate")),
  platformTcb: table("platform_tcb", RAW_TCB_KEY, text("tcbm")),
  crl: table(
    "crl",
    text("name"),
    [...text("url"), { name: "crl", type: "bytea" }, ...text("issuer_chain"), ...TIMES],
    true,
  ),
  tcbInfo: table(
    "tcb_info",
    [...text("tee", "fmspc"), VERSION, ...text("tcb_update")],
    [...text("body", "issuer_chain"), ...TIMES],
    true,
  ),
  identity: table(
    "identity",
    [...text("id"), VERSION, ...text("tcb_update")],
    [...text("body", "issuer_chain"), ...TIMES],
    true,
  ),
  registration: table("registration", RAW_TCB_KEY, text("encrypted_ppid", "platform_manifest", "state")),
  policy: table("policy", text("id"), [
    { name: "type", type: "integer" },
    ...text("policy"),
    { name: "is_default", type: "boolean" },
    ...text("fmspc"),
  ]),
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

/** One parameter a column, each an array over the rows. What is the same already is not written again. */
export function upsertText({ name, columns, keyColumns, latestIssued }: Table): string {
  const names = columns.map((column) => column.name);
  const arrays = columns.map((column, i) => `$${i + 1}::${column.type}[]`);
  const rest = names.slice(keyColumns);
  const assigned = rest.map((column) => `${column} = excluded.${column}`);
  const differs = `(${rest.map((column) => `t.${column}`).join(", ")}) IS DISTINCT FROM (${rest
    .map((column) => `excluded.${column}`)
    .join(", ")})`;
  return (
    `INSERT INTO confcom.${name} AS t (${names.join(", ")}) SELECT * FROM unnest(${arrays.join(", ")}) ` +
    `ON CONFLICT (${names.slice(0, keyColumns).join(", ")}) DO UPDATE SET ${assigned.join(", ")} ` +
    `WHERE ${latestIssued ? "excluded.issued >= t.issued AND " : ""}${differs}`
  );
}

/** The parameters of {@link upsertText}. */
export function upsertValues({ columns }: Table, rows: readonly Row[]): unknown[] {
  return columns.map((_, i) => rows.map((row) => row[i]));
}
