import type { PckRequest, PlatformRegistrant } from "@confcom/quoting/software";
import { littleEndian, upperHex } from "../../hexadecimal.ts";
import { BODY_LIMITS, type HttpClient } from "../../http/index.ts";
import { PCCS_MEANINGS, refusal } from "../../sources/refusal.ts";
import { encodePlatformManifest } from "../platform-manifest.ts";

export interface RegistrationDesk {
  readonly http: HttpClient;
  /** For messages: "PCCS at URL". */
  readonly name: string;
  /** Ends in "/". */
  readonly baseUrl: string;
  /** Read anew for each registration, so that it can be changed without restart; undefined: none. Never in messages. */
  readonly userToken: () => string | undefined;
}

/** No encrypted PPID: the manifest says which platform it is. */
const NO_ENCRYPTED_PPID = "0".repeat(768);

/**
 * POST /platforms with the platform's manifest (spec: DCAP §12), as Intel's PCK ID retrieval tool sends it. Fails with
 * CollateralError: SOURCE_REFUSED for a wrong token, a manifest that is not taken or other keys, and as HTTP does.
 */
export async function registerPlatform(
  desk: RegistrationDesk,
  request: PckRequest,
  registrant: PlatformRegistrant,
  signal: AbortSignal,
): Promise<void> {
  const token = desk.userToken();
  const answer = await desk.http.fetchBytes({
    source: desk.name,
    url: `${desk.baseUrl}platforms`,
    method: "POST",
    headers: { "content-type": "application/json", ...(token === undefined ? {} : { "user-token": token }) },
    body: JSON.stringify({
      qe_id: upperHex(registrant.qeId),
      pce_id: littleEndian(request.pceId),
      cpu_svn: upperHex(request.cpuSvn),
      pce_svn: littleEndian(request.pceSvn),
      enc_ppid: NO_ENCRYPTED_PPID,
      platform_manifest: encodePlatformManifest(request.ppid, registrant),
    }),
    maxBytes: BODY_LIMITS.refusal,
    signal,
  });
  if (answer.status !== 200) throw refusal(answer, desk.name, REGISTRATION_MEANINGS, desk.http.clock);
}

const REGISTRATION_MEANINGS = {
  ...PCCS_MEANINGS,
  400: {
    code: "SOURCE_REFUSED",
    words:
      "it does not take the registration: its upstream is not the software platform's, or knows the platform with other keys; its log says which",
  },
  401: { code: "SOURCE_REFUSED", words: "the user token is missing or not accepted" },
  404: { code: "SOURCE_REFUSED", words: "its upstream does not take the platform's manifest; its log says why" },
} as const;
