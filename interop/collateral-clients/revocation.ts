import { randomBytes, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { openSoftwareUpstream, SOFTWARE_AUTHORITY_DIRECTORY } from "@confcom/collateral/software";
import { nodeFileSystem, StateDirectory } from "@confcom/quoting";
import { type Pccs, startPccs } from "../pccs.ts";
import type { Scene } from "../scene.ts";
import type { Certified } from "./certified.ts";

/**
 * Puts the platform's PCK certificate on its CA's CRL, as whoever runs the authority does: the service is stopped, because
 * its authority has one user, started again where it was, and told to refresh.
 */
export async function revokePckCertificate(scene: Scene, { pccs, pckCertificate }: Certified): Promise<Pccs> {
  await pccs.stop();
  const authority = await openSoftwareUpstream({
    state: StateDirectory.open(join(pccs.files.state, SOFTWARE_AUTHORITY_DIRECTORY), nodeFileSystem, () => {}),
    now: scene.now,
    random: (size) => new Uint8Array(randomBytes(size)),
  });
  await authority.revoke(new X509Certificate(pckCertificate).serialNumber);
  const started = scene.keep(await startPccs(scene.places, { again: pccs }));
  await refresh(started);
  return started;
}

/** `POST /refresh`, as its administrator. */
export async function refresh(pccs: Pccs): Promise<void> {
  const reply = await fetch(`${pccs.base}refresh`, { method: "POST", headers: { "admin-token": pccs.adminToken } });
  if (reply.status !== 200) throw new Error(`POST /refresh answered ${reply.status}: ${await reply.text()}`);
}
