import type { AnswerTo } from "../answer.ts";
import { type AnswerTerms, checkAnswer, checkPckCertificates, createAnswerChecker } from "../check/index.ts";
import { messageOf } from "../errors.ts";
import type { ApiVersion, CertificationCa, CollateralRequest, IdentityName, TcbUpdate } from "../request.ts";
import type { RegistrationState, StoreChange } from "../store/store.ts";
import { derOf, hexOf, IntelDatabase, manifestOf, pemOf, type Row, textOf } from "./intel-database.ts";

/** Ids in pcs_certificates. */
const ROOT = 1;
const SIGNER = 3;
const CA_CERTIFICATE: Readonly<Record<CertificationCa, number>> = { processor: 2, platform: 4 };
const IDENTITIES: Readonly<Record<number, IdentityName>> = { 1: "QE", 2: "QVE", 3: "TD_QE" };
const SINGLE_IDENTITIES = [
  ["qe_identities", "qe_identity", "QE"],
  ["qve_identities", "qve_identity", "QVE"],
] as const;
const STATES: Readonly<Record<number, RegistrationState>> = { 0: "new", 1: "not-available", 9: "deleted" };
const CAS: readonly CertificationCa[] = ["processor", "platform"];

export interface Refused {
  /** What was not taken. */
  readonly what: string;
  readonly why: string;
}

export interface MigrationReport {
  /** How many of each kind were taken. */
  readonly taken: Readonly<Record<string, number>>;
  /** The first {@link MAXIMUM_REFUSALS} that were not. */
  readonly refused: readonly Refused[];
  readonly refusedCount: number;
}

export const MAXIMUM_REFUSALS = 1_000;

export interface MigrationOptions {
  readonly terms: AnswerTerms;
  /** Each batch is one transaction: documents first, then platform by platform. */
  readonly write: (changes: readonly StoreChange[]) => Promise<void>;
  readonly progress?: (platforms: number) => void;
}

const BATCH = 2_000;

/**
 * Takes over the cache of Intel's PCCS (schema versions 1 to 5). Every certificate, CRL and document is checked first; one that
 * does not hold is left out and reported, and so is a platform with any certificate that does not. The file is only read.
 * Fails with STORE_VERSION, STORE_DAMAGED, STORE_IO, or as `write` does.
 */
export async function migrateIntelDatabase(path: string, options: MigrationOptions): Promise<MigrationReport> {
  const database = IntelDatabase.open(path);
  try {
    return await new Migration(database, options).run();
  } finally {
    database.close();
  }
}

/** Fails as {@link migrateIntelDatabase} does where the file is none: for whoever makes something before it can begin. */
export function assertIntelDatabase(path: string): void {
  IntelDatabase.open(path).close();
}

class Migration {
  readonly #database: IntelDatabase;
  readonly #options: MigrationOptions;
  #terms: AnswerTerms;
  readonly #certificates = new Map<number, { readonly pem: string; readonly crl: Uint8Array }>();
  readonly #taken: Record<string, number> = {};
  readonly #refused: Refused[] = [];
  #refusedCount = 0;
  #batch: StoreChange[] = [];

  constructor(database: IntelDatabase, options: MigrationOptions) {
    this.#database = database;
    this.#options = options;
    const { crypto } = options.terms;
    this.#terms = { checker: createAnswerChecker(crypto === undefined ? {} : { crypto }), ...options.terms };
  }

  async run(): Promise<MigrationReport> {
    for (const row of this.#database.rows("pcs_certificates", ["id", "cert", "crl"])) {
      this.#certificates.set(Number(row.id), { pem: pemOf(row.cert), crl: derOf(row.crl) });
    }
    this.#crls();
    this.#tcbInfos();
    this.#identities();
    this.#policies();
    await this.#flush();
    let platforms = 0;
    for (const row of this.#database.rows("platforms", [
      "qe_id",
      "pce_id",
      "platform_manifest",
      "enc_ppid",
      "fmspc",
      "ca",
    ])) {
      this.#platform(row);
      if (this.#batch.length >= BATCH) await this.#flush();
      this.#options.progress?.(++platforms);
    }
    for (const row of this.#database.rows("platforms_registered", [
      "qe_id",
      "pce_id",
      "cpu_svn",
      "pce_svn",
      "enc_ppid",
      "platform_manifest",
      "state",
    ])) {
      this.#registration(row);
      if (this.#batch.length >= BATCH) await this.#flush();
    }
    await this.#flush();
    return { taken: this.#taken, refused: this.#refused, refusedCount: this.#refusedCount };
  }

  #chain(issuer: number): string {
    const end = (pem: string) => (pem === "" || pem.endsWith("\n") ? pem : `${pem}\n`);
    return end(this.#certificates.get(issuer)?.pem ?? "") + end(this.#certificates.get(ROOT)?.pem ?? "");
  }

  #crls(): void {
    const root = this.#certificates.get(ROOT)?.crl ?? new Uint8Array(0);
    if (root.length > 0) {
      this.#take("root CA CRL", "the root CA's CRL", () => {
        const times = this.#check({ kind: "root-ca-crl" }, { kind: "root-ca-crl", crl: root });
        // From here on it revokes.
        this.#terms = { ...this.#terms, rootCaCrl: root };
        return [{ put: "root-ca-crl", crl: { crl: root, issuerChain: "", ...times } }];
      });
    }
    this.#terms = { ...this.#terms, pckIssuerChains: CAS.map((ca) => this.#chain(CA_CERTIFICATE[ca])).filter(Boolean) };
    for (const row of this.#database.rows("pck_crl", ["ca", "pck_crl"])) {
      const ca = textOf(row.ca).toLowerCase();
      this.#take("PCK CRLs", `the PCK CRL of ${ca}`, () => {
        if (ca !== "processor" && ca !== "platform") throw new Error("there is no such CA");
        const answer = {
          kind: "pck-crl",
          crl: derOf(row.pck_crl),
          issuerChain: this.#chain(CA_CERTIFICATE[ca]),
        } as const;
        const times = this.#check({ kind: "pck-crl", ca }, answer);
        return [{ put: "pck-crl", ca, crl: { crl: answer.crl, issuerChain: answer.issuerChain, ...times } }];
      });
    }
    for (const row of this.#database.rows("crl_cache", ["cdp_url", "crl"])) {
      const url = textOf(row.cdp_url);
      this.#take("CRLs by distribution point", `the CRL of ${url}`, () => {
        const crl = derOf(row.crl);
        const times = this.#check({ kind: "crl", url }, { kind: "crl", crl });
        return [{ put: "crl", url, crl: { crl, issuerChain: "", ...times } }];
      });
    }
  }

  #tcbInfos(): void {
    const issuerChain = this.#chain(SIGNER);
    for (const row of this.#database.rows("fmspc_tcbs", ["fmspc", "type", "version", "update_type", "tcbinfo"])) {
      const fmspc = hexOf(row.fmspc);
      const tee = Number(row.type ?? 0) === 1 ? "tdx" : "sgx";
      this.#take("TCB infos", `${tee} TCB info of ${fmspc}`, () => {
        const key = { fmspc, tee, version: versionOf(row), update: updateOf(row) } as const;
        const body = textOf(row.tcbinfo);
        const times = this.#check({ kind: "tcb-info", ...key }, { kind: "tcb-info", body, issuerChain });
        return [{ put: "tcb-info", key, json: { body, issuerChain, ...times } }];
      });
    }
  }

  #identities(): void {
    for (const row of this.#database.rows("enclave_identities", ["id", "version", "update_type", "identity"])) {
      this.#identity(IDENTITIES[Number(row.id)], row);
    }
    // Schema version 1 has a table for each.
    for (const [table, column, id] of SINGLE_IDENTITIES) {
      for (const row of this.#database.rows(table, [column])) this.#identity(id, { identity: row[column] });
    }
  }

  #identity(id: IdentityName | undefined, row: Row): void {
    this.#take("identities", `the identity ${id ?? String(row.id)}`, () => {
      if (id === undefined) throw new Error("there is no such identity");
      const key = { id, version: versionOf(row), update: updateOf(row) };
      const body = textOf(row.identity);
      const issuerChain = this.#chain(SIGNER);
      const times = this.#check({ kind: "identity", ...key }, { kind: "identity", body, issuerChain });
      return [{ put: "identity", key, json: { body, issuerChain, ...times } }];
    });
  }

  #policies(): void {
    for (const row of this.#database.rows("appraisal_policies", ["id", "type", "policy", "is_default", "fmspc"])) {
      const id = textOf(row.id);
      this.#take("policies", `the policy ${id}`, () => {
        if (!/^[0-9a-fA-F]{96}$/.test(id)) throw new Error("its id is no SHA-384");
        const fmspc = digits(hexOf(row.fmspc), 12, "FMSPC");
        const policy = {
          id,
          type: Number(row.type),
          policy: textOf(row.policy),
          isDefault: Boolean(row.is_default),
          fmspc,
        };
        return [{ put: "policy", policy }];
      });
    }
  }

  #platform(row: Row): void {
    const qeId = textOf(row.qe_id);
    const pceId = hexOf(row.pce_id);
    const where = ["AND qe_id = ? AND pce_id = ?", row.qe_id, row.pce_id] as const;
    this.#take("platforms", `platform ${qeId}`, () => {
      if (!/^[0-9A-Za-z]{1,260}$/.test(qeId)) throw new Error("its QE ID is malformed");
      const key = { qeId: qeId.toUpperCase(), pceId };
      const ca = textOf(row.ca).toLowerCase() === "processor" ? "processor" : "platform";
      const fmspc = digits(hexOf(row.fmspc), 12, "FMSPC");
      const encryptedPpid = hexOf(row.enc_ppid);
      if (encryptedPpid !== "") digits(encryptedPpid, 768, "encrypted PPID");
      const issuerChain = this.#chain(CA_CERTIFICATE[ca]);
      const certificates = [...this.#database.rows("pck_cert", ["tcbm", "pck_cert"], ...where)].map((found) => ({
        tcbm: hexOf(found.tcbm),
        certificate: pemOf(found.pck_cert),
      }));
      checkPckCertificates({ ca, fmspc, issuerChain, certificates }, pceId, this.#terms);
      const changes: StoreChange[] = [
        {
          put: "platform",
          platform: { ...key, encryptedPpid, platformManifest: manifestOf(row.platform_manifest), fmspc, ca },
        },
      ];
      if (certificates.length > 0) changes.push({ put: "pck-chain", ca, issuerChain });
      for (const certificate of certificates) changes.push({ put: "pck-certificate", key, certificate });
      this.#count("certificates", certificates.length);
      for (const raw of this.#database.rows("platform_tcbs", ["cpu_svn", "pce_svn", "tcbm"], ...where)) {
        const tcbm = hexOf(raw.tcbm);
        const rawTcb = { ...key, cpuSvn: hexOf(raw.cpu_svn), pceSvn: hexOf(raw.pce_svn) };
        if (certificates.some((found) => found.tcbm === tcbm) && isAtLeast(rawTcb.cpuSvn + rawTcb.pceSvn, tcbm)) {
          changes.push({ put: "platform-tcb", key: rawTcb, tcbm });
          this.#count("raw TCBs", 1);
        } else {
          this.#refuse(`raw TCB ${rawTcb.cpuSvn} of platform ${qeId}`, "there is no certificate at or below it");
        }
      }
      return changes;
    });
  }

  #registration(row: Row): void {
    const qeId = textOf(row.qe_id).toUpperCase();
    this.#take("registrations", `the registration of platform ${qeId}`, () => {
      if (!/^[0-9A-Z]{1,260}$/.test(qeId)) throw new Error("its QE ID is malformed");
      const state = STATES[Number(row.state)];
      if (state === undefined) throw new Error(`its state is ${String(row.state)}`);
      const registration = {
        qeId,
        pceId: digits(hexOf(row.pce_id), 4, "PCEID"),
        cpuSvn: optional(hexOf(row.cpu_svn), 32, "CPUSVN"),
        pceSvn: optional(hexOf(row.pce_svn), 4, "PCESVN"),
        encryptedPpid: optional(hexOf(row.enc_ppid), 768, "encrypted PPID"),
        platformManifest: manifestOf(row.platform_manifest),
        state,
      };
      return [{ put: "registration", registration }];
    });
  }

  #check<R extends CollateralRequest>(request: R, answer: AnswerTo<R>) {
    const { issued, nextUpdate } = checkAnswer(request, answer, this.#terms);
    return { issued, nextUpdate };
  }

  #take(kind: string, what: string, changes: () => readonly StoreChange[]): void {
    try {
      this.#batch.push(...changes());
      this.#count(kind, 1);
    } catch (error) {
      this.#refuse(what, messageOf(error));
    }
  }

  #count(kind: string, more: number): void {
    this.#taken[kind] = (this.#taken[kind] ?? 0) + more;
  }

  #refuse(what: string, why: string): void {
    this.#refusedCount++;
    if (this.#refused.length < MAXIMUM_REFUSALS) this.#refused.push({ what, why });
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) await this.#options.write(batch);
  }
}

/** Schemas before version 3 have no such column: everything in them is of API version 3. */
function versionOf(row: Row): ApiVersion {
  return Number(row.version ?? 3) === 4 ? 4 : 3;
}

/** Schemas before version 5 have no such column. */
function updateOf(row: Row): TcbUpdate {
  return textOf(row.update_type).toUpperCase() === "EARLY" ? "early" : "standard";
}

function digits(value: string, count: number, what: string): string {
  if (!new RegExp(`^[0-9A-F]{${count}}$`).test(value))
    throw new Error(`its ${what} is not ${count} hexadecimal digits`);
  return value;
}

function optional(value: string, count: number, what: string): string {
  return value === "" ? value : digits(value, count, what);
}

/** Every component of CPUSVN and PCESVN (18 bytes, the last two little-endian) reaches the other's. */
function isAtLeast(raw: string, tcbm: string): boolean {
  if (!/^[0-9A-F]{36}$/.test(raw) || !/^[0-9A-F]{36}$/.test(tcbm)) return false;
  const [a, b] = [Buffer.from(raw, "hex"), Buffer.from(tcbm, "hex")];
  if (a.readUInt16LE(16) < b.readUInt16LE(16)) return false;
  return b.subarray(0, 16).every((svn, index) => (a[index] as number) >= svn);
}
