import { crc32 } from "node:zlib";
import type { Database, Statement } from "better-sqlite3";
import { CollateralError } from "../../errors.ts";
import type { CertificationCa } from "../../request.ts";
import type {
  IdentityKey,
  PlatformKey,
  RawTcbKey,
  RegistrationState,
  StoredCrl,
  StoredJson,
  StoredPckAnswer,
  StoredPckCertificate,
  StoredPlatform,
  StoredPolicy,
  StoredRegistration,
  TcbInfoKey,
} from "../store.ts";
import { storeFailure } from "./failure.ts";

interface Checksum {
  readonly checksum: number;
}

/** The chain comes from a subquery: NULL where there is no such row. */
type PckAnswerRow = Omit<StoredPckAnswer, "issuerChain"> & Checksum & { readonly issuerChain: string | null };

function isWhole(row: PckAnswerRow | undefined): row is StoredPckAnswer & Checksum {
  return row !== undefined && row.issuerChain !== null;
}

const PLATFORM =
  "qe_id AS qeId, pce_id AS pceId, platform_manifest AS platformManifest, encrypted_ppid AS encryptedPpid, fmspc, ca";
const CRL = "crl, issuer_chain AS issuerChain, issued, next_update AS nextUpdate, checksum";
const JSON_ROW = "body, issuer_chain AS issuerChain, issued, next_update AS nextUpdate, checksum";
const REGISTRATION =
  "qe_id AS qeId, pce_id AS pceId, cpu_svn AS cpuSvn, pce_svn AS pceSvn, encrypted_ppid AS encryptedPpid, platform_manifest AS platformManifest, state";

/** All reads, on a connection of their own: prepared once, answered at once, never behind a write (WAL). */
export class DatabaseReader {
  readonly #path: string;
  readonly #prepare: (sql: string) => Statement<unknown[]>;
  readonly #pckAnswer: Statement<unknown[]>;
  readonly #statements = new Map<string, Statement<unknown[]>>();

  constructor(database: Database, path: string) {
    this.#path = path;
    this.#prepare = (sql) => database.prepare(sql);
    // The limited subquery comes first and by itself: of a plain join SQLite makes the plan anew for every key that is bound.
    this.#pckAnswer = database.prepare(
      `SELECT t.tcbm, c.certificate, c.checksum, p.fmspc, p.ca,
         (SELECT issuer_chain FROM pck_chain i WHERE i.ca = p.ca) AS issuerChain
       FROM (SELECT * FROM platform_tcb WHERE qe_id = ? AND pce_id = ? AND cpu_svn = ? AND pce_svn = ? LIMIT 1) t
       CROSS JOIN pck_certificate c ON c.qe_id = t.qe_id AND c.pce_id = t.pce_id AND c.tcbm = t.tcbm
       CROSS JOIN platform p ON p.qe_id = t.qe_id AND p.pce_id = t.pce_id`,
    );
  }

  pckAnswer(key: RawTcbKey): StoredPckAnswer | undefined {
    let row: PckAnswerRow | undefined;
    try {
      row = this.#pckAnswer.get(key.qeId, key.pceId, key.cpuSvn, key.pceSvn) as typeof row;
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
    return isWhole(row) ? this.#checked(row, row.certificate, "a PCK certificate") : undefined;
  }

  platform(key: PlatformKey): StoredPlatform | undefined {
    return this.#get(`SELECT ${PLATFORM} FROM platform WHERE qe_id = ? AND pce_id = ?`, key.qeId, key.pceId);
  }

  pckCertificates(key: PlatformKey): readonly StoredPckCertificate[] {
    const rows = this.#all<StoredPckCertificate & Checksum>(
      "SELECT tcbm, certificate, checksum FROM pck_certificate WHERE qe_id = ? AND pce_id = ? ORDER BY tcbm",
      key.qeId,
      key.pceId,
    );
    return rows.map((row) => this.#checked(row, row.certificate, "a PCK certificate"));
  }

  pckChain(ca: CertificationCa): string | undefined {
    return this.#get<{ issuerChain: string }>("SELECT issuer_chain AS issuerChain FROM pck_chain WHERE ca = ?", ca)
      ?.issuerChain;
  }

  crl(kind: "pck" | "root" | "url", name: string): StoredCrl | undefined {
    const row = this.#get<StoredCrl & Checksum>(`SELECT ${CRL} FROM crl WHERE kind = ? AND name = ?`, kind, name);
    return row === undefined ? undefined : this.#checked(row, row.crl, "a CRL");
  }

  tcbInfo(key: TcbInfoKey): StoredJson | undefined {
    const row = this.#get<StoredJson & Checksum>(
      `SELECT ${JSON_ROW} FROM tcb_info WHERE tee = ? AND fmspc = ? AND version = ? AND update_type = ?`,
      key.tee,
      key.fmspc,
      key.version,
      key.update,
    );
    return row === undefined ? undefined : this.#checked(row, row.body, "TCB info");
  }

  identity(key: IdentityKey): StoredJson | undefined {
    const row = this.#get<StoredJson & Checksum>(
      `SELECT ${JSON_ROW} FROM identity WHERE id = ? AND version = ? AND update_type = ?`,
      key.id,
      key.version,
      key.update,
    );
    return row === undefined ? undefined : this.#checked(row, row.body, "an identity");
  }

  policies(fmspc: string): readonly StoredPolicy[] {
    const rows = this.#all<Omit<StoredPolicy, "isDefault"> & { isDefault: number }>(
      "SELECT id, type, policy, is_default AS isDefault, fmspc FROM policy WHERE fmspc = ? ORDER BY id",
      fmspc,
    );
    return rows.map((row) => ({ ...row, isDefault: row.isDefault !== 0 }));
  }

  registrations(states: readonly RegistrationState[], limit: number): readonly StoredRegistration[] {
    return this.#all(
      `SELECT ${REGISTRATION} FROM registration WHERE state IN (SELECT value FROM json_each(?))
       ORDER BY qe_id, pce_id, cpu_svn, pce_svn LIMIT ?`,
      JSON.stringify(states),
      limit,
    );
  }

  platforms(
    fmspcs: readonly string[] | undefined,
    after: PlatformKey | undefined,
    limit: number,
  ): readonly StoredPlatform[] {
    const { qeId, pceId } = after ?? { qeId: "", pceId: "" };
    const of = fmspcs === undefined ? "" : "AND fmspc IN (SELECT value FROM json_each(?))";
    return this.#all(
      // The unary + keeps the order of the key: the index of FMSPCs would have to sort them all for each page.
      `SELECT ${PLATFORM} FROM platform WHERE (qe_id, pce_id) > (?, ?) ${of.replace("fmspc", "+fmspc")}
       ORDER BY qe_id, pce_id LIMIT ?`,
      ...(fmspcs === undefined ? [qeId, pceId, limit] : [qeId, pceId, JSON.stringify(fmspcs), limit]),
    );
  }

  rawTcbs(key: PlatformKey): readonly (RawTcbKey & { readonly tcbm: string })[] {
    return this.#all(
      `SELECT qe_id AS qeId, pce_id AS pceId, cpu_svn AS cpuSvn, pce_svn AS pceSvn, tcbm FROM platform_tcb
       WHERE qe_id = ? AND pce_id = ? ORDER BY cpu_svn, pce_svn`,
      key.qeId,
      key.pceId,
    );
  }

  tcbInfoKeys(): readonly TcbInfoKey[] {
    return this.#all(`SELECT tee, fmspc, version, update_type AS "update" FROM tcb_info ORDER BY 2, 1, 3, 4`);
  }

  identityKeys(): readonly IdentityKey[] {
    return this.#all(`SELECT id, version, update_type AS "update" FROM identity ORDER BY 1, 2, 3`);
  }

  crlUrls(): readonly string[] {
    return this.#all<{ name: string }>("SELECT name FROM crl WHERE kind = 'url' ORDER BY name").map(({ name }) => name);
  }

  counts(): { readonly platforms: number; readonly certificates: number } {
    const row = this.#get<{ platforms: number; certificates: number }>(
      "SELECT (SELECT count(*) FROM platform) AS platforms, (SELECT count(*) FROM pck_certificate) AS certificates",
    );
    return row ?? { platforms: 0, certificates: 0 };
  }

  #statement(sql: string): Statement<unknown[]> {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #get<Row>(sql: string, ...values: readonly unknown[]): Row | undefined {
    try {
      return this.#statement(sql).get(...values) as Row | undefined;
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  #all<Row>(sql: string, ...values: readonly unknown[]): readonly Row[] {
    try {
      return this.#statement(sql).all(...values) as Row[];
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  #checked<Row extends Checksum>(row: Row, content: string | Uint8Array, what: string): Omit<Row, "checksum"> {
    const { checksum, ...rest } = row;
    if (crc32(content) !== checksum) {
      throw new CollateralError("STORE_DAMAGED", `${this.#path}: ${what} is not what was written`);
    }
    return rest;
  }
}
