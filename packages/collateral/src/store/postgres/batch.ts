import { createHash } from "node:crypto";
import type { PlatformKey, RawTcbKey, StoreChange, StoredCrl, StoredJson } from "../store.ts";
import { type Row, TABLE_NAMES, TABLES, type TableName } from "./tables.ts";

/** What a sequence of changes comes to: first `drops`, then one row a key and table. The same as one after the other. */
export interface Batch {
  readonly drops: readonly PlatformKey[];
  readonly rows: readonly { readonly table: TableName; readonly rows: readonly Row[] }[];
  /** FMSPCs that get another default policy, and its id. */
  readonly defaults: readonly (readonly [fmspc: string, id: string])[];
  /** One text per thing that is written: two batches that have none in common write no row in common. */
  readonly lockKeys: readonly string[];
}

/** Name of a CRL's row. */
export const PCK_CRL = { processor: "pck/processor", platform: "pck/platform" } as const;
export const ROOT_CA_CRL = "root";
export const urlCrl = (url: string) => `url/${createHash("sha256").update(url).digest("hex")}`;

const IS_DEFAULT = TABLES.policy.columns.findIndex(({ name }) => name === "is_default");

export function batchOf(changes: readonly StoreChange[]): Batch {
  const tables = new Map<TableName, Map<string, Row>>(TABLE_NAMES.map((name) => [name, new Map<string, Row>()]));
  const drops = new Map<string, PlatformKey>();
  const defaults = new Map<string, string>();
  const lockKeys = new Set<string>();
  const droppedRows = (name: "pckCertificate" | "platformTcb", key: PlatformKey) => {
    const rows = tables.get(name) as Map<string, Row>;
    for (const [id, row] of rows) if (row[0] === key.qeId && row[1] === key.pceId) rows.delete(id);
  };
  for (const change of changes) {
    if ("drop" in change) {
      drops.set(platformText(change.key), change.key);
      droppedRows("pckCertificate", change.key);
      droppedRows("platformTcb", change.key);
      lockKeys.add(platformText(change.key));
      continue;
    }
    if (change.put === "policy" && change.policy.isDefault) {
      const { fmspc, id } = change.policy;
      const former = defaults.get(fmspc);
      const rows = tables.get("policy") as Map<string, Row>;
      const row = former === undefined || former === id ? undefined : rows.get(former);
      if (row !== undefined) rows.set(former as string, row.with(IS_DEFAULT, false));
      defaults.set(fmspc, id);
      lockKeys.add(`default policy\n${fmspc}`);
    }
    const { table, row } = rowOf(change);
    const { keyColumns, latestIssued, columns } = TABLES[table];
    const rows = tables.get(table) as Map<string, Row>;
    const id = row.slice(0, keyColumns).join("\n");
    const issued = latestIssued ? columns.findIndex(({ name }) => name === "issued") : -1;
    const earlier = rows.get(id);
    if (earlier !== undefined && issued >= 0 && (earlier[issued] as number) > (row[issued] as number)) continue;
    rows.set(id, row);
    lockKeys.add(row.length > 2 && columns[0]?.name === "qe_id" ? `platform\n${row[0]}\n${row[1]}` : `${table}\n${id}`);
  }
  return {
    drops: [...drops.values()],
    defaults: [...defaults],
    rows: [...tables].filter(([, rows]) => rows.size > 0).map(([table, rows]) => ({ table, rows: [...rows.values()] })),
    lockKeys: [...lockKeys],
  };
}

function platformText({ qeId, pceId }: PlatformKey): string {
  return `platform\n${qeId}\n${pceId}`;
}

function rowOf(change: Extract<StoreChange, { put: string }>): { table: TableName; row: Row } {
  switch (change.put) {
    case "platform": {
      const { qeId, pceId, platformManifest, encryptedPpid, fmspc, ca } = change.platform;
      return { table: "platform", row: [qeId, pceId, platformManifest, encryptedPpid, fmspc, ca] };
    }
    case "platform-tcb":
      return { table: "platformTcb", row: [...rawTcb(change.key), change.tcbm] };
    case "pck-certificate": {
      const { key, certificate } = change;
      return { table: "pckCertificate", row: [key.qeId, key.pceId, certificate.tcbm, certificate.certificate] };
    }
    case "pck-chain":
      return { table: "pckChain", row: [change.ca, change.issuerChain] };
    case "pck-crl":
      return { table: "crl", row: crlRow(PCK_CRL[change.ca], "", change.crl) };
    case "root-ca-crl":
      return { table: "crl", row: crlRow(ROOT_CA_CRL, "", change.crl) };
    case "crl":
      return { table: "crl", row: crlRow(urlCrl(change.url), change.url, change.crl) };
    case "tcb-info": {
      const { tee, fmspc, version, update } = change.key;
      return { table: "tcbInfo", row: [tee, fmspc, version, update, ...jsonCells(change.json)] };
    }
    case "identity": {
      const { id, version, update } = change.key;
      return { table: "identity", row: [id, version, update, ...jsonCells(change.json)] };
    }
    case "registration": {
      const { encryptedPpid, platformManifest, state } = change.registration;
      return { table: "registration", row: [...rawTcb(change.registration), encryptedPpid, platformManifest, state] };
    }
    case "policy": {
      const { id, type, policy, isDefault, fmspc } = change.policy;
      return { table: "policy", row: [id, type, policy, isDefault, fmspc] };
    }
  }
}

function rawTcb({ qeId, pceId, cpuSvn, pceSvn }: RawTcbKey): Row {
  return [qeId, pceId, cpuSvn, pceSvn];
}

function crlRow(name: string, url: string, { crl, issuerChain, issued, nextUpdate }: StoredCrl): Row {
  return [name, url, crl, issuerChain, Math.trunc(issued), Math.trunc(nextUpdate)];
}

function jsonCells({ body, issuerChain, issued, nextUpdate }: StoredJson): Row {
  return [body, issuerChain, Math.trunc(issued), Math.trunc(nextUpdate)];
}
