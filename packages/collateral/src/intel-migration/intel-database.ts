import Sqlite, { type Database } from "better-sqlite3";
import { CollateralError, messageOf } from "../errors.ts";

/** Bytes of one value that are read at most; a CRL of the root is the largest thing there. */
const MAXIMUM_VALUE = 16 * 1024 * 1024;
const PAGE = 500;

export type Row = Readonly<Record<string, unknown>>;

/**
 * Intel's PCCS keeps its cache in SQLite (spec: DCAP §12): opened only for reading. Text may stand in a BLOB and a BLOB's bytes in
 * a TEXT, because its columns have no fixed type and its own code wrote both at different times.
 */
export class IntelDatabase {
  readonly #database: Database;
  readonly #columns = new Map<string, ReadonlySet<string>>();

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Fails with STORE_VERSION for what is no database of Intel's PCCS, with STORE_DAMAGED for what SQLite cannot read. */
  static open(path: string): IntelDatabase {
    let database: Database | undefined;
    try {
      database = new Sqlite(path, { readonly: true, fileMustExist: true });
      database.pragma("trusted_schema = OFF");
      const found = new IntelDatabase(database);
      if (found.columns("pcs_certificates").size === 0 || found.columns("pck_cert").size === 0) {
        throw new CollateralError("STORE_VERSION", `${path} is no database of Intel's PCCS: it has not its tables`);
      }
      return found;
    } catch (error) {
      database?.close();
      if (error instanceof CollateralError) throw error;
      const damaged = error instanceof Error && "code" in error && /NOTADB|CORRUPT/.test(String(error.code));
      const message = messageOf(error);
      throw new CollateralError(damaged ? "STORE_DAMAGED" : "STORE_IO", `${path}: ${message}`, { cause: error });
    }
  }

  columns(table: string): ReadonlySet<string> {
    const known = this.#columns.get(table);
    if (known !== undefined) return known;
    const rows = this.#database.prepare("SELECT name FROM pragma_table_info(?)").pluck().all(table) as string[];
    const columns = new Set(rows);
    this.#columns.set(table, columns);
    return columns;
  }

  /** All rows of a table in pieces; none where an older version has no such table. `names` that it has not are undefined. */
  *rows(table: string, names: readonly string[], where = "", ...values: readonly unknown[]): Generator<Row> {
    const present = names.filter((name) => this.columns(table).has(name));
    if (present.length === 0) return;
    const list = present.map(
      (name) => `CASE WHEN length("${name}") <= ${MAXIMUM_VALUE} THEN "${name}" END AS "${name}"`,
    );
    const statement = this.#database.prepare(
      `SELECT rowid AS row, ${list.join(", ")} FROM "${table}" WHERE rowid > ? ${where} ORDER BY rowid LIMIT ${PAGE}`,
    );
    for (let after = -1; ; ) {
      const page = statement.all(after, ...values) as Row[];
      for (const row of page) yield row;
      if (page.length < PAGE) return;
      after = page.at(-1)?.row as number;
    }
  }

  close(): void {
    this.#database.close();
  }
}

export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("utf8") : "";
}

/** Upper case: digits as text or, of the other half of Intel's code, as bytes. */
export function hexOf(value: unknown): string {
  const text = textOf(value);
  if (/^[0-9a-fA-F]*$/.test(text)) return text.toUpperCase();
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex").toUpperCase() : "";
}

/** As it was posted, for the platform will post the same again; bytes that are no text as hexadecimal. */
export function manifestOf(value: unknown): string {
  const text = textOf(value);
  return /^[\x20-\x7e]*$/.test(text) ? text : hexOf(value);
}

/** DER as bytes, or as hexadecimal text. */
export function derOf(value: unknown): Uint8Array {
  const text = textOf(value);
  if (text !== "" && text.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(text))
    return Uint8Array.from(Buffer.from(text, "hex"));
  return value instanceof Uint8Array ? Uint8Array.from(value) : new Uint8Array(0);
}

/** PEM, URL-encoded or not. */
export function pemOf(value: unknown): string {
  const text = textOf(value);
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
