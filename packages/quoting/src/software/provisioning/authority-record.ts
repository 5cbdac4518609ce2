import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { PlatformError } from "../../errors.ts";
import type { StateDirectory } from "../../state/index.ts";
import { FUSES_FILE } from "../cpu/fuses.ts";
import type { AuthorityBinding } from "../provisioning-authority.ts";
import { decodeStateRecord, encodeStateRecord, hasTexts } from "./state-record.ts";

export const AUTHORITY_FILE = "provisioning-ca.json";
const KIND = "confcom provisioning authority 1";

/** A certification authority: its key, and its certificate as PEM. */
export interface CertificateAuthority {
  readonly privateKey: KeyObject;
  readonly certificate: string;
}

/** Everything of the authority that is made once and never replaced, in one file so that it is made as one. */
export interface AuthorityKeys {
  readonly root: CertificateAuthority;
  readonly platform: CertificateAuthority;
  readonly processor: CertificateAuthority;
  /** Its certificate is renewable and lies with the collateral. */
  readonly tcbSigningKey: KeyObject;
  /** RSA-3072: PPIDs are encrypted to its public half. */
  readonly ppidKey: KeyObject;
  /** 16 bytes, lower-case hex: the PCK certificates' Platform Instance ID. */
  readonly platformInstanceId: string;
}

const CAS = ["root", "platform", "processor"] as const;

/** Writes the authority of this CPU, or of this service, unless the directory has one already. */
export function createAuthorityFile(state: StateDirectory, keys: AuthorityKeys, binding: AuthorityBinding): void {
  const pem = (key: KeyObject) => key.export({ type: "pkcs8", format: "pem" });
  const ca = ({ privateKey, certificate }: CertificateAuthority) => ({ privateKey: pem(privateKey), certificate });
  state.createOnce(
    AUTHORITY_FILE,
    encodeStateRecord(KIND, {
      root: ca(keys.root),
      platform: ca(keys.platform),
      processor: ca(keys.processor),
      tcbSigning: { privateKey: pem(keys.tcbSigningKey) },
      ppid: { privateKey: pem(keys.ppidKey) },
      platformInstanceId: keys.platformInstanceId,
      ...("fuses" in binding ? { fuses: binding.fuses } : { serves: binding.serves }),
    }),
  );
}

/**
 * The directory's authority, or undefined when none was made yet. Fails with STATE_DAMAGED, and changes nothing, when
 * the file is damaged, was made for a CPU with other fuses (then it or the fuses file is from elsewhere), or for a CPU
 * and not for a service, or the other way round. Fails with STATE_REPLACED when the root in use is not there any more.
 */
export function readAuthorityFile(state: StateDirectory, binding: AuthorityBinding): AuthorityKeys | undefined {
  const bytes = state.read(AUTHORITY_FILE);
  if (bytes === undefined) {
    if (binding.root === undefined) return undefined;
    throw new PlatformError("STATE_REPLACED", `${AUTHORITY_FILE} is gone from ${state.path}`);
  }
  const { keys, madeFor } = decode(state, bytes);
  if (binding.root !== undefined && keys.root.certificate !== binding.root) {
    throw new PlatformError(
      "STATE_REPLACED",
      `${AUTHORITY_FILE} in ${state.path} holds another root than the one in use`,
    );
  }
  if ("fuses" in binding ? madeFor.fuses === binding.fuses : madeFor.serves === binding.serves) return keys;
  if (!("fuses" in binding) || madeFor.fuses === undefined) {
    throw new PlatformError(
      "STATE_DAMAGED",
      `${AUTHORITY_FILE} in ${state.path} is of ${madeFor.fuses === undefined ? "a service, and cannot serve one platform alone" : "one platform alone, and cannot serve others"}; name another state directory; nothing was changed`,
    );
  }
  throw new PlatformError(
    "STATE_DAMAGED",
    `${AUTHORITY_FILE} and ${FUSES_FILE} in ${state.path} do not belong together: one of them is from another state directory; nothing was changed`,
  );
}

interface AuthorityRecord {
  readonly keys: AuthorityKeys;
  /** The commitment to the fuses of the CPU it certifies, or that it serves platforms. */
  readonly madeFor: { readonly fuses?: string; readonly serves?: string };
}

function decode(state: StateDirectory, bytes: Uint8Array): AuthorityRecord {
  let cause: unknown;
  try {
    const content = decodeStateRecord(KIND, bytes);
    const keys = decodeAuthority(content);
    if (keys !== undefined && isCoherent(keys)) {
      if (hasTexts(content, "fuses")) return { keys, madeFor: { fuses: content.fuses } };
      if (hasTexts(content, "serves")) return { keys, madeFor: { serves: content.serves } };
    }
  } catch (error) {
    cause = error;
  }
  throw new PlatformError(
    "STATE_DAMAGED",
    `${AUTHORITY_FILE} in ${state.path} is damaged; it holds the keys that every certificate of this platform depends on, and nothing was changed`,
    { cause },
  );
}

function decodeAuthority(content: unknown): AuthorityKeys | undefined {
  if (!hasTexts(content, "platformInstanceId")) return undefined;
  const members: Readonly<Record<string, unknown>> = content;
  const { root, platform, processor, tcbSigning, ppid } = members;
  for (const ca of [root, platform, processor]) if (!hasTexts(ca, "privateKey", "certificate")) return undefined;
  if (!hasTexts(tcbSigning, "privateKey") || !hasTexts(ppid, "privateKey")) return undefined;
  const ca = (value: unknown): CertificateAuthority => {
    const { privateKey, certificate } = value as Readonly<Record<"privateKey" | "certificate", string>>;
    return { privateKey: createPrivateKey(privateKey), certificate };
  };
  return {
    root: ca(root),
    platform: ca(platform),
    processor: ca(processor),
    tcbSigningKey: createPrivateKey(tcbSigning.privateKey),
    ppidKey: createPrivateKey(ppid.privateKey),
    platformInstanceId: content.platformInstanceId,
  };
}

/** Whether each certificate is of its key, and the root signed all three: a file put together from two is not taken. */
function isCoherent(keys: AuthorityKeys): boolean {
  const rootKey = new X509Certificate(keys.root.certificate).publicKey;
  return (
    keys.ppidKey.asymmetricKeyDetails?.modulusLength === 3072 &&
    CAS.every((name) => {
      const { certificate, privateKey } = keys[name];
      const parsed = new X509Certificate(certificate);
      return parsed.checkPrivateKey(privateKey) && parsed.verify(rootKey);
    })
  );
}
