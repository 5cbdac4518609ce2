import type { HttpClient, HttpDeadlines } from "../http/index.ts";
import { askBytes, sourceName } from "./http-source.ts";
import { jsonObject, utf8Text } from "./json-answer.ts";
import { THIM_MEANINGS } from "./refusal.ts";
import { unusable } from "./unusable.ts";

const AZURE_INSTANCE_URL = "http://169.254.169.254/metadata/instance?api-version=2021-02-01";

/** What is on a machine's own link answers at once; elsewhere nobody is there. */
export const LINK_LOCAL_DEADLINES: HttpDeadlines = { connectMs: 1_000, firstByteMs: 1_000, bodyMs: 1_000 };

/** 256 KiB: the description of a machine with all its disks and addresses has some KiB. */
const INSTANCE_LIMIT = 256 * 1024;

/**
 * The region this machine is in, in lower case, from Azure's instance metadata (spec: DCAP §14): what the host name of the
 * regional cache starts with. Fails with CollateralError SOURCE_*.
 */
export async function azureRegion(http: HttpClient, signal: AbortSignal, url = AZURE_INSTANCE_URL): Promise<string> {
  const name = sourceName("Azure instance metadata", url);
  const asked = { url, headers: { metadata: "true" } };
  const origin = { http, name, meanings: THIM_MEANINGS, deadlines: LINK_LOCAL_DEADLINES };
  const answer = await askBytes(origin, asked, INSTANCE_LIMIT, signal);
  const instance = jsonObject(utf8Text(answer.body, name, "the answer"), name, "the answer");
  const { location } = (instance.compute ?? {}) as { readonly location?: unknown };
  // It becomes part of a host name: nothing but a label goes through.
  if (typeof location !== "string" || !/^[A-Za-z0-9-]{1,63}$/.test(location)) {
    throw unusable(name, "compute.location", "is no region");
  }
  return location.toLowerCase();
}
