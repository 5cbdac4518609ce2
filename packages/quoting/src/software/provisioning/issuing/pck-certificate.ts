import {
  encodePckExtension,
  fromHex,
  PCK_EXTENSION_OID,
  SGX_TYPE,
  SOFTWARE_PLATFORM_OID,
  writeU16,
} from "@confcom/sgx";
import { DER_TAG, derElement } from "@confcom/sgx/der";
import type { RandomBytes } from "../../cpu/fuses.ts";
import type { PckRequest } from "../../provisioning-authority.ts";
import type { AuthorityKeys } from "../authority-record.ts";
import { p256Spki } from "../p256-spki.ts";
import { COMMON_NAMES, FMSPC, LEAF_YEARS, PCK_CRL_URIS, SOFTWARE_MARKER_TEXT } from "../profile.ts";
import { earlier, yearsAfter } from "../timestamps.ts";
import { issueCertificate } from "./certificate.ts";

/**
 * Issues the PCK certificate for one platform, TCB and key as PEM (spec: DCAP §8), for seven years or until its issuer's
 * certificate ends: the SGX extension with its seven
 * Platform CA elements, then the marker that says it is no hardware.
 *
 * Type `scalable`, because Platform CA certificates are for scalable platforms; the three configuration flags are off,
 * there being no second package, no backend and no hyper-threading.
 */
export function issuePckCertificate(
  keys: AuthorityKeys,
  request: PckRequest,
  now: Date,
  issuerEnd: Date,
  random: RandomBytes,
): Promise<string> {
  const pceId = new Uint8Array(2);
  writeU16(pceId, 0, request.pceId);
  const sgxExtension = encodePckExtension({
    ppid: request.ppid,
    tcb: { components: request.cpuSvn, pceSvn: request.pceSvn, cpuSvn: request.cpuSvn },
    pceId,
    fmspc: FMSPC,
    sgxType: SGX_TYPE.SCALABLE,
    platform: {
      platformInstanceId: fromHex(keys.platformInstanceId, 16),
      dynamicPlatform: false,
      cachedKeys: false,
      smtEnabled: false,
    },
  });
  const marker = derElement(DER_TAG.UTF8_STRING, new TextEncoder().encode(SOFTWARE_MARKER_TEXT));
  return issueCertificate(
    {
      issuer: { commonName: COMMON_NAMES.platform, privateKey: keys.platform.privateKey },
      commonName: COMMON_NAMES.pck,
      publicKey: p256Spki(request.pckPublicKey),
      notBefore: now,
      notAfter: earlier(yearsAfter(now, LEAF_YEARS), issuerEnd),
      crlUri: PCK_CRL_URIS.platform,
      pathLength: undefined,
      further: [
        { oid: PCK_EXTENSION_OID, value: sgxExtension },
        { oid: SOFTWARE_PLATFORM_OID, value: marker },
      ],
    },
    random,
  );
}
