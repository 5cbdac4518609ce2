import { crc32 } from "node:zlib";
import type { Database } from "better-sqlite3";
import type { StoreChange, StoredCrl, StoredJson } from "../store.ts";

const TIMES = "issued, next_update, checksum";
/** A document never gives way to one that was issued before it. */
const UNLESS_OLDER = "WHERE excluded.issued >= issued";

type Apply = (change: StoreChange) => void;

/** How each change is written, with statements prepared once. Runs within the caller's transaction. */
export function changeWriter(database: Database): Apply {
  const prepare = (sql: string) => database.prepare(sql);
  const platform = prepare(
    `INSERT INTO platform (qe_id, pce_id, fmspc, ca, encrypted_ppid, platform_manifest) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET fmspc = excluded.fmspc, ca = excluded.ca, encrypted_ppid = excluded.encrypted_ppid,
       platform_manifest = excluded.platform_manifest`,
  );
  const platformTcb = prepare(
    `INSERT INTO platform_tcb (qe_id, pce_id, cpu_svn, pce_svn, tcbm) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET tcbm = excluded.tcbm`,
  );
  const certificate = prepare(
    `INSERT INTO pck_certificate (qe_id, pce_id, tcbm, certificate, checksum) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET certificate = excluded.certificate, checksum = excluded.checksum`,
  );
  const dropCertificates = prepare("DELETE FROM pck_certificate WHERE qe_id = ? AND pce_id = ?");
  const dropTcbs = prepare("DELETE FROM platform_tcb WHERE qe_id = ? AND pce_id = ?");
  const chain = prepare(
    "INSERT INTO pck_chain (ca, issuer_chain) VALUES (?, ?) ON CONFLICT DO UPDATE SET issuer_chain = excluded.issuer_chain",
  );
  const crl = prepare(
    `INSERT INTO crl (kind, name, crl, issuer_chain, ${TIMES}) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET crl = excluded.crl, issuer_chain = excluded.issuer_chain, issued = excluded.issued,
       next_update = excluded.next_update, checksum = excluded.checksum ${UNLESS_OLDER}`,
  );
  const updateJson = `body = excluded.body, issuer_chain = excluded.issuer_chain, issued = excluded.issued,
       next_update = excluded.next_update, checksum = excluded.checksum ${UNLESS_OLDER}`;
  const tcbInfo = prepare(
    `INSERT INTO tcb_info (tee, fmspc, version, update_type, body, issuer_chain, ${TIMES})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${updateJson}`,
  );
  const identity = prepare(
    `INSERT INTO identity (id, version, update_type, body, issuer_chain, ${TIMES})
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET ${updateJson}`,
  );
  const registration = prepare(
    `INSERT INTO registration (qe_id, pce_id, cpu_svn, pce_svn, encrypted_ppid, platform_manifest, state)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET encrypted_ppid = excluded.encrypted_ppid,
       platform_manifest = excluded.platform_manifest, state = excluded.state`,
  );
  const formerDefault = prepare("UPDATE policy SET is_default = 0 WHERE fmspc = ? AND is_default <> 0 AND id <> ?");
  const policy = prepare(
    `INSERT INTO policy (id, type, policy, is_default, fmspc) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET type = excluded.type, policy = excluded.policy, is_default = excluded.is_default,
       fmspc = excluded.fmspc`,
  );

  const crlRow = (row: StoredCrl) => [row.crl, row.issuerChain, row.issued, row.nextUpdate, crc32(row.crl)];
  const jsonRow = (row: StoredJson) => [row.body, row.issuerChain, row.issued, row.nextUpdate, crc32(row.body)];

  return (change) => {
    if ("drop" in change) {
      dropCertificates.run(change.key.qeId, change.key.pceId);
      dropTcbs.run(change.key.qeId, change.key.pceId);
      return;
    }
    switch (change.put) {
      case "platform": {
        const { qeId, pceId, fmspc, ca, encryptedPpid, platformManifest } = change.platform;
        platform.run(qeId, pceId, fmspc, ca, encryptedPpid, platformManifest);
        return;
      }
      case "platform-tcb": {
        const { qeId, pceId, cpuSvn, pceSvn } = change.key;
        platformTcb.run(qeId, pceId, cpuSvn, pceSvn, change.tcbm);
        return;
      }
      case "pck-certificate": {
        const { tcbm, certificate: pem } = change.certificate;
        certificate.run(change.key.qeId, change.key.pceId, tcbm, pem, crc32(pem));
        return;
      }
      case "pck-chain":
        chain.run(change.ca, change.issuerChain);
        return;
      case "pck-crl":
        crl.run("pck", change.ca, ...crlRow(change.crl));
        return;
      case "root-ca-crl":
        crl.run("root", "", ...crlRow(change.crl));
        return;
      case "crl":
        crl.run("url", change.url, ...crlRow(change.crl));
        return;
      case "tcb-info": {
        const { tee, fmspc, version, update } = change.key;
        tcbInfo.run(tee, fmspc, version, update, ...jsonRow(change.json));
        return;
      }
      case "identity": {
        const { id, version, update } = change.key;
        identity.run(id, version, update, ...jsonRow(change.json));
        return;
      }
      case "registration": {
        const { qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest, state } = change.registration;
        registration.run(qeId, pceId, cpuSvn, pceSvn, encryptedPpid, platformManifest, state);
        return;
      }
      case "policy": {
        const { id, type, policy: text, isDefault, fmspc } = change.policy;
        if (isDefault) formerDefault.run(fmspc, id);
        policy.run(id, type, text, isDefault ? 1 : 0, fmspc);
        return;
      }
    }
  };
}
