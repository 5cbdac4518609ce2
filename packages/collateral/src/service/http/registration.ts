import type { StoredPlatform, StoredRegistration } from "../../store/store.ts";
import { fieldsThatCount } from "../registration-fields.ts";
import type { PlatformRegistration } from "../service.ts";
import { ServiceRefusal } from "../status.ts";
import { hexParameter, qeIdParameter } from "./parameters.ts";

/**
 * POST /platforms: `{qe_id, pce_id, cpu_svn, pce_svn, enc_ppid, platform_manifest}` (spec: DCAP §12). With a manifest the
 * other fields count for nothing, without one all of them are needed, as in the reference. Anything else is 400.
 */
export function platformRegistration(body: unknown): PlatformRegistration {
  const fields = body as Readonly<Record<string, unknown>>;
  const manifest = fields.platform_manifest ?? "";
  if (Array.isArray(body) || typeof manifest !== "string" || !/^[\x20-\x7e]*$/.test(manifest)) {
    throw new ServiceRefusal(400, "the registration is no object, or its manifest no printable text");
  }
  return fieldsThatCount({
    qeId: qeIdParameter(fields.qe_id),
    pceId: hexParameter("pce_id", fields.pce_id, 4),
    // The form of a field is looked at even where it does not count.
    cpuSvn: fieldIfThere(fields, "cpu_svn", 32),
    pceSvn: fieldIfThere(fields, "pce_svn", 4),
    encryptedPpid: fieldIfThere(fields, "enc_ppid", 768),
    platformManifest: manifest,
  });
}

/** GET /platforms: a platform as the reference's administration tool reads it. */
export function listedPlatform(platform: StoredRegistration | StoredPlatform) {
  return {
    qe_id: platform.qeId,
    pce_id: platform.pceId,
    cpu_svn: "cpuSvn" in platform ? platform.cpuSvn : "",
    pce_svn: "pceSvn" in platform ? platform.pceSvn : "",
    platform_manifest: platform.platformManifest,
    enc_ppid: platform.encryptedPpid,
  };
}

/** PUT /appraisalpolicy: `{is_default, fmspc, policy}`; the policy itself is the service's to read. */
export function appraisalPolicy(body: unknown): { isDefault: boolean; fmspc: string; policy: string } {
  const { is_default: isDefault, fmspc, policy } = body as Readonly<Record<string, unknown>>;
  if (typeof isDefault !== "boolean" || typeof policy !== "string") {
    throw new ServiceRefusal(400, "the policy lacks is_default or policy");
  }
  return { isDefault, fmspc: hexParameter("fmspc", fmspc, 12), policy };
}

function fieldIfThere(fields: Readonly<Record<string, unknown>>, name: string, length: number): string {
  const value = fields[name];
  // The schema of the reference refuses an empty text; its own tool sends none beside a manifest, others an empty one.
  return value === undefined || value === "" ? "" : hexParameter(name, value, length);
}
