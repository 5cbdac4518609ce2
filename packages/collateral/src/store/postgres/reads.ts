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
import type { Connections } from "./connections.ts";

const PLATFORM_COLUMNS = `qe_id AS "qeId", pce_id AS "pceId", platform_manifest AS "platformManifest",
  encrypted_ppid AS "encryptedPpid", fmspc, ca`;
export const REGISTRATION_COLUMNS = `qe_id AS "qeId", pce_id AS "pceId", cpu_svn AS "cpuSvn", pce_svn AS "pceSvn",
  encrypted_ppid AS "encryptedPpid", platform_manifest AS "platformManifest", state`;
// Milliseconds fit a double; the driver gives a bigint as text.
const TIME_COLUMNS = `issued::float8 AS issued, next_update::float8 AS "nextUpdate"`;
const JSON_COLUMNS = `body, issuer_chain AS "issuerChain", ${TIME_COLUMNS}`;

const statement = (name: string, text: string) => ({ name, text });
const PCK_ANSWER = statement(
  "pck-answer",
  `SELECT c.tcbm, c.certificate, p.fmspc, p.ca, h.issuer_chain AS "issuerChain"
   FROM confcom.platform_tcb t
   JOIN confcom.pck_certificate c ON c.qe_id = t.qe_id AND c.pce_id = t.pce_id AND c.tcbm = t.tcbm
   JOIN confcom.platform p ON p.qe_id = t.qe_id AND p.pce_id = t.pce_id
   JOIN confcom.pck_chain h ON h.ca = p.ca
   WHERE t.qe_id = $1 AND t.pce_id = $2 AND t.cpu_svn = $3 AND t.pce_svn = $4`,
);
const PLATFORM = statement(
  "platform",
  `SELECT ${PLATFORM_COLUMNS} FROM confcom.platform WHERE qe_id = $1 AND pce_id = $2`,
);
const CERTIFICATES = statement(
  "pck-certificates",
  "SELECT tcbm, certificate FROM confcom.pck_certificate WHERE qe_id = $1 AND pce_id = $2 ORDER BY tcbm",
);
const RAW_TCBS = statement(
  "raw-tcbs",
  `SELECT qe_id AS "qeId", pce_id AS "pceId", cpu_svn AS "cpuSvn", pce_svn AS "pceSvn", tcbm
   FROM confcom.platform_tcb WHERE qe_id = $1 AND pce_id = $2 ORDER BY cpu_svn, pce_svn`,
);
const CHAIN = statement("pck-chain", `SELECT issuer_chain AS "issuerChain" FROM confcom.pck_chain WHERE ca = $1`);
const CRL = statement(
  "crl",
  `SELECT crl, issuer_chain AS "issuerChain", ${TIME_COLUMNS} FROM confcom.crl WHERE name = $1`,
);
const CRL_URLS = statement("crl-urls", "SELECT url FROM confcom.crl WHERE name LIKE 'url/%' ORDER BY url");
const CRL_URL = statement("crl-url", "SELECT url FROM confcom.crl WHERE name = $1");
const TCB_INFO = statement(
  "tcb-info",
  `SELECT ${JSON_COLUMNS} FROM confcom.tcb_info WHERE tee = $1 AND fmspc = $2 AND version = $3 AND tcb_update = $4`,
);
const TCB_INFO_KEYS = statement(
  "tcb-info-keys",
  `SELECT tee, fmspc, version, tcb_update AS "update" FROM confcom.tcb_info ORDER BY 1, 2, 3, 4`,
);
const IDENTITY = statement(
  "identity",
  `SELECT ${JSON_COLUMNS} FROM confcom.identity WHERE id = $1 AND version = $2 AND tcb_update = $3`,
);
const IDENTITY_KEYS = statement(
  "identity-keys",
  `SELECT id, version, tcb_update AS "update" FROM confcom.identity ORDER BY 1, 2, 3`,
);
const POLICIES = statement(
  "policies",
  `SELECT id, type, policy, is_default AS "isDefault", fmspc FROM confcom.policy WHERE fmspc = $1 ORDER BY id`,
);
const REGISTRATIONS = statement(
  "registrations",
  `SELECT ${REGISTRATION_COLUMNS} FROM confcom.registration WHERE state = ANY($1::text[])
   ORDER BY qe_id, pce_id, cpu_svn, pce_svn LIMIT $2`,
);
const REGISTRATION = statement(
  "registration",
  `SELECT ${REGISTRATION_COLUMNS} FROM confcom.registration
   WHERE qe_id = $1 AND pce_id = $2 AND cpu_svn = $3 AND pce_svn = $4`,
);
const PAGE = "(qe_id, pce_id) > ($1, $2)";
const PLATFORMS = statement(
  "platforms",
  `SELECT ${PLATFORM_COLUMNS} FROM confcom.platform WHERE ${PAGE} ORDER BY qe_id, pce_id LIMIT $3`,
);
const PLATFORMS_OF = statement(
  "platforms-of-fmspcs",
  `SELECT ${PLATFORM_COLUMNS} FROM confcom.platform WHERE ${PAGE} AND fmspc = ANY($4::text[])
   ORDER BY qe_id, pce_id LIMIT $3`,
);
const COUNTS = statement(
  "counts",
  `SELECT (SELECT count(*) FROM confcom.platform)::float8 AS platforms,
          (SELECT count(*) FROM confcom.pck_certificate)::float8 AS certificates`,
);

type Read = Pick<Connections, "read">["read"];

/** Every read of the store: one prepared statement each. */
export class Reads {
  readonly #read: Read;

  constructor(read: Read) {
    this.#read = read;
  }

  async pckAnswer({ qeId, pceId, cpuSvn, pceSvn }: RawTcbKey): Promise<StoredPckAnswer | undefined> {
    return (await this.#read<StoredPckAnswer>(PCK_ANSWER, [qeId, pceId, cpuSvn, pceSvn]))[0];
  }

  async platform({ qeId, pceId }: PlatformKey): Promise<StoredPlatform | undefined> {
    return (await this.#read<StoredPlatform>(PLATFORM, [qeId, pceId]))[0];
  }

  async pckCertificates({ qeId, pceId }: PlatformKey): Promise<readonly StoredPckCertificate[]> {
    return this.#read<StoredPckCertificate>(CERTIFICATES, [qeId, pceId]);
  }

  async rawTcbs({ qeId, pceId }: PlatformKey): Promise<readonly (RawTcbKey & { readonly tcbm: string })[]> {
    return this.#read<RawTcbKey & { readonly tcbm: string }>(RAW_TCBS, [qeId, pceId]);
  }

  async pckChain(ca: CertificationCa): Promise<string | undefined> {
    return (await this.#read<{ issuerChain: string }>(CHAIN, [ca]))[0]?.issuerChain;
  }

  /** By the row's name. */
  async crl(name: string): Promise<StoredCrl | undefined> {
    return (await this.#read<StoredCrl>(CRL, [name]))[0];
  }

  async crlUrl(name: string): Promise<string | undefined> {
    return (await this.#read<{ url: string }>(CRL_URL, [name]))[0]?.url;
  }

  async crlUrls(): Promise<readonly string[]> {
    return (await this.#read<{ url: string }>(CRL_URLS)).map(({ url }) => url);
  }

  async tcbInfo({ tee, fmspc, version, update }: TcbInfoKey): Promise<StoredJson | undefined> {
    return (await this.#read<StoredJson>(TCB_INFO, [tee, fmspc, version, update]))[0];
  }

  async tcbInfoKeys(): Promise<readonly TcbInfoKey[]> {
    return this.#read<TcbInfoKey>(TCB_INFO_KEYS);
  }

  async identity({ id, version, update }: IdentityKey): Promise<StoredJson | undefined> {
    return (await this.#read<StoredJson>(IDENTITY, [id, version, update]))[0];
  }

  async identityKeys(): Promise<readonly IdentityKey[]> {
    return this.#read<IdentityKey>(IDENTITY_KEYS);
  }

  async policies(fmspc: string): Promise<readonly StoredPolicy[]> {
    return this.#read<StoredPolicy>(POLICIES, [fmspc]);
  }

  async registrations(states: readonly RegistrationState[], limit: number): Promise<readonly StoredRegistration[]> {
    return this.#read<StoredRegistration>(REGISTRATIONS, [states, limit]);
  }

  async registration({ qeId, pceId, cpuSvn, pceSvn }: RawTcbKey): Promise<StoredRegistration | undefined> {
    return (await this.#read<StoredRegistration>(REGISTRATION, [qeId, pceId, cpuSvn, pceSvn]))[0];
  }

  async platforms(
    fmspcs: readonly string[] | undefined,
    after: PlatformKey | undefined,
    limit: number,
  ): Promise<readonly StoredPlatform[]> {
    const page = [after?.qeId ?? "", after?.pceId ?? "", limit];
    if (fmspcs === undefined) return this.#read<StoredPlatform>(PLATFORMS, page);
    return this.#read<StoredPlatform>(PLATFORMS_OF, [...page, fmspcs]);
  }

  async counts(): Promise<{ readonly platforms: number; readonly certificates: number }> {
    const [counts] = await this.#read<{ platforms: number; certificates: number }>(COUNTS);
    return counts ?? { platforms: 0, certificates: 0 };
  }
}
