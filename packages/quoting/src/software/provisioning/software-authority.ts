import { createHmac, createPublicKey, X509Certificate } from "node:crypto";
import { type Collateral, fromHex, toHex } from "@confcom/sgx";
import { PlatformError } from "../../errors.ts";
import { PCE_ID } from "../pce/pce-identity.ts";
import type { PckChain, PckRequest, PpidEncryptionKey, ProvisioningAuthority } from "../provisioning-authority.ts";
import type { AuthorityKeys } from "./authority-record.ts";
import type { AuthorityOptions } from "./open-authority.ts";
import { p256Spki } from "./p256-spki.ts";
import { readPckCertificate, storePckCertificate } from "./pck-store.ts";
import { decryptPpid, ppidEncryptionKey } from "./ppid.ts";
import type { CertificationCa } from "./profile.ts";
import {
  addRevocation,
  advanceRevocationState,
  type CrlIssuer,
  type RevocationReason,
  readRevocationState,
} from "./revocation-state.ts";
import {
  collateralFor,
  isCurrent,
  readSignedCollateral,
  type SignedCollateral,
  writeSignedCollateral,
} from "./signed-collateral.ts";
import { type SignedText, signText } from "./signed-text.ts";
import { tcbInfoVersion2Text } from "./tcb-info.ts";
import { TCB_EVALUATION_DATA_NUMBER, tcbLevelFor } from "./tcb-levels.ts";
import { isoSeconds } from "./timestamps.ts";

const SERIAL_NUMBER = /^(?:[0-9a-f]{2}){1,20}$/i;

/**
 * The part of Intel's provisioning service, for one state directory. It keeps nothing but the keys in memory: each
 * call goes by the files, so that a revocation or renewal by another process of the same directory is seen at once.
 * Two processes that revoke in the same instant can lose one of the two; leave revoking to one.
 */
export class SoftwareProvisioningAuthority implements ProvisioningAuthority {
  readonly rootCertificatePem: string;
  readonly #options: AuthorityOptions;
  readonly #keys: AuthorityKeys;
  #encryptionKey: PpidEncryptionKey | undefined;
  #tcbInfoVersion2: { readonly of: string; readonly signed: SignedText } | undefined;
  /** Signing and revoking in this process happen one after the other. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: AuthorityOptions, keys: AuthorityKeys) {
    this.#options = options;
    this.#keys = keys;
    this.rootCertificatePem = keys.root.certificate;
  }

  get encryptionKey(): PpidEncryptionKey {
    this.#encryptionKey ??= ppidEncryptionKey(this.#keys.ppidKey);
    return this.#encryptionKey;
  }

  /** Decrypts a PPID (384 bytes in, 16 out). Fails with ISSUER_REFUSED when it is not encrypted to this authority. */
  decryptPpid(encrypted: Uint8Array): Uint8Array {
    return decryptPpid(this.#keys.ppidKey, encrypted);
  }

  /**
   * The PCK chain for exactly this platform, TCB and key: the stored one, or a newly issued one when there is none or
   * it is damaged, for something else, or within 60 days of its end. Fails with ISSUER_REFUSED and ISSUER_EXPIRED.
   */
  async pckChain(request: PckRequest): Promise<PckChain> {
    const { state, binding } = this.#options;
    const keys = this.#keys;
    checkRequest(request);
    if (!("fuses" in binding)) {
      throw new PlatformError("ISSUER_REFUSED", "an authority behind a service keeps no platform's certificates");
    }
    const now = this.#options.now();
    const leaf =
      readPckCertificate(state, keys, request, now) ??
      storePckCertificate(state, keys, request, await this.issuePckCertificate(request), now);
    return {
      chainPem: leaf + this.pckIssuerChain,
      cpuSvn: Uint8Array.from(request.cpuSvn),
      pceSvn: request.pceSvn,
    };
  }

  /**
   * The leaf certificate (PEM) for exactly this platform, TCB and key, newly issued and not kept: whoever serves many
   * platforms keeps it with theirs. Fails with ISSUER_REFUSED and ISSUER_EXPIRED.
   */
  async issuePckCertificate(request: PckRequest): Promise<string> {
    checkRequest(request);
    const now = this.#options.now();
    const until = new X509Certificate(this.#keys.platform.certificate).validToDate;
    if (now.getTime() >= until.getTime()) {
      throw new PlatformError("ISSUER_EXPIRED", `the PCK CA's certificate ended at ${isoSeconds(until)}`);
    }
    const platformInstanceId = this.#platformInstanceId(request.ppid);
    const { issuePckCertificate } = await import("./issuing/index.ts");
    return issuePckCertificate({ ...this.#keys, platformInstanceId }, request, now, until, this.#options.random);
  }

  /** PEM: the certificate of the CA that issues PCK certificates, then the root's. */
  get pckIssuerChain(): string {
    return this.#keys.platform.certificate + this.#keys.root.certificate;
  }

  /** TCB info in the version that version 3 of the provisioning API serves: text and signature, 128 hexadecimal digits. */
  async tcbInfoVersion2(): Promise<SignedText> {
    const { issued, tcbInfo } = await this.#inTurn(() => this.#currentCollateral());
    if (this.#tcbInfoVersion2?.of !== tcbInfo) {
      const { tcbEvaluationDataNumber } = JSON.parse(tcbInfo) as { tcbEvaluationDataNumber: number };
      const text = tcbInfoVersion2Text(new Date(issued), tcbEvaluationDataNumber);
      this.#tcbInfoVersion2 = { of: tcbInfo, signed: { text, signature: signText(this.#keys.tcbSigningKey, text) } };
    }
    return this.#tcbInfoVersion2.signed;
  }

  /** The collateral for quotes whose PCK certificate this CA issued, signed anew when under ten days remain. */
  async collateral(ca: CertificationCa = "platform"): Promise<Collateral> {
    return collateralFor(await this.#inTurn(() => this.#currentCollateral()), this.#keys, ca);
  }

  /**
   * Puts a certificate on its issuer's CRL and signs the collateral anew under higher CRL numbers. `serial`: hex, as
   * in the certificate. The reason cannot be `unspecified`. Fails with OPTION_INVALID.
   */
  async revoke(
    serial: string,
    reason: RevocationReason = "keyCompromise",
    issuer: CrlIssuer = "platform",
  ): Promise<void> {
    if (!SERIAL_NUMBER.test(serial)) {
      throw new PlatformError("OPTION_INVALID", `"${serial}" is no serial number: 1 to 20 bytes in hex`);
    }
    await this.#inTurn(async () => {
      const entry = { serial: serial.toLowerCase(), date: isoSeconds(this.#options.now()), reason };
      addRevocation(this.#options.state, issuer, entry);
      await this.#currentCollateral();
    });
  }

  /** Of one CPU: made with the authority. Of many: each platform's own, and the same for a platform for good. */
  #platformInstanceId(ppid: Uint8Array): string {
    const { platformInstanceId } = this.#keys;
    if ("fuses" in this.#options.binding) return platformInstanceId;
    return createHmac("sha256", fromHex(platformInstanceId, 16)).update(ppid).digest("hex").slice(0, 32);
  }

  async #currentCollateral(): Promise<SignedCollateral> {
    const { state, qe, random } = this.#options;
    const now = this.#options.now();
    const stored = readSignedCollateral(state);
    if (stored !== undefined && isCurrent(stored, this.#keys, readRevocationState(state), qe, now)) return stored;
    const { signCollateral } = await import("./issuing/index.ts");
    const revocations = advanceRevocationState(state, TCB_EVALUATION_DATA_NUMBER);
    const signed = await signCollateral(this.#keys, revocations, qe, stored, now, random);
    writeSignedCollateral(state, signed);
    return signed;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => {});
    return result;
  }
}

function checkRequest(request: PckRequest): void {
  const refuse = (why: string, cause?: unknown) => new PlatformError("ISSUER_REFUSED", why, { cause });
  const { ppid, cpuSvn, pceSvn, pceId, pckPublicKey } = request;
  if (ppid.length !== 16) throw refuse(`a PPID is 16 bytes, got ${ppid.length}`);
  if (pceId !== PCE_ID) throw refuse(`PCEID ${pceId} does not exist`);
  if (tcbLevelFor(cpuSvn, pceSvn) === undefined) {
    throw refuse(`CPUSVN ${toHex(cpuSvn)} with PCESVN ${pceSvn} is no TCB level of the software platform`);
  }
  if (pckPublicKey.length !== 64) throw refuse(`a P-256 public key is 64 bytes, got ${pckPublicKey.length}`);
  try {
    createPublicKey({ key: Buffer.from(p256Spki(pckPublicKey)), format: "der", type: "spki" });
  } catch (cause) {
    throw refuse("the PCK public key is no point of P-256", cause);
  }
}
