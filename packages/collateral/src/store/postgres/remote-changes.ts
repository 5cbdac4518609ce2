import type { CertificationCa, IdentityName, Tee } from "../../request.ts";
import type { IdentityKey, StoreChange, TcbInfoKey } from "../store.ts";
import { PCK_CRL, ROOT_CA_CRL } from "./batch.ts";
import type { ChangedThing } from "./change-message.ts";
import type { Reads } from "./reads.ts";

/**
 * What another replica changed, as changes that lead to the state as it is now: a platform as dropped and written anew.
 * Undefined: something is not there to be read, or not known; anything may have changed.
 */
export async function changesOf(
  things: readonly ChangedThing[],
  reads: Reads,
): Promise<readonly StoreChange[] | undefined> {
  const changes: StoreChange[] = [];
  for (const thing of things) {
    const found = await changesOfThing(thing, reads);
    if (found === undefined) return undefined;
    changes.push(...found);
  }
  return changes;
}

async function changesOfThing(thing: ChangedThing, reads: Reads): Promise<readonly StoreChange[] | undefined> {
  switch (thing.kind) {
    case "platform": {
      const [qeId, pceId] = thing.key;
      const key = { qeId, pceId };
      const [platform, certificates, rawTcbs] = await Promise.all([
        reads.platform(key),
        reads.pckCertificates(key),
        reads.rawTcbs(key),
      ]);
      return [
        ...(platform === undefined ? [] : [{ put: "platform", platform } as const]),
        { drop: "pck-certificates", key },
        ...certificates.map((certificate) => ({ put: "pck-certificate", key, certificate }) as const),
        ...rawTcbs.map(({ tcbm, ...rawTcb }) => ({ put: "platform-tcb", key: rawTcb, tcbm }) as const),
      ];
    }
    case "chain": {
      const ca = thing.key[0] as CertificationCa;
      const issuerChain = await reads.pckChain(ca);
      return issuerChain === undefined ? undefined : [{ put: "pck-chain", ca, issuerChain }];
    }
    case "crl":
      return crlChange(thing.key[0], reads);
    case "tcb-info": {
      const [tee, fmspc, version, update] = thing.key;
      const key = { tee: tee as Tee, fmspc, version: Number(version), update } as TcbInfoKey;
      const json = await reads.tcbInfo(key);
      return json === undefined ? undefined : [{ put: "tcb-info", key, json }];
    }
    case "identity": {
      const [id, version, update] = thing.key;
      const key = { id: id as IdentityName, version: Number(version), update } as IdentityKey;
      const json = await reads.identity(key);
      return json === undefined ? undefined : [{ put: "identity", key, json }];
    }
    case "policies":
      return (await reads.policies(thing.key[0])).map((policy) => ({ put: "policy", policy }));
    case "registration": {
      const [qeId, pceId, cpuSvn, pceSvn] = thing.key;
      const registration = await reads.registration({ qeId, pceId, cpuSvn, pceSvn });
      return registration === undefined ? undefined : [{ put: "registration", registration }];
    }
  }
}

async function crlChange(name: string, reads: Reads): Promise<readonly StoreChange[] | undefined> {
  const crl = await reads.crl(name);
  if (crl === undefined) return undefined;
  if (name === ROOT_CA_CRL) return [{ put: "root-ca-crl", crl }];
  for (const ca of ["processor", "platform"] as const) if (name === PCK_CRL[ca]) return [{ put: "pck-crl", ca, crl }];
  const url = await reads.crlUrl(name);
  return url === undefined ? undefined : [{ put: "crl", url, crl }];
}
