import { createPublicKey, X509Certificate } from "node:crypto";
import { type Collateral, toHex } from "@confcom/sgx";
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
    const { state, random } = this.#options;
    const keys = this.#keys;
    checkRequest(request);
    const now = this.#options.now();
    let leaf = readPckCertificate(state, keys, request, now);
    if (leaf === undefined) {
      const until = new X509Certificate(keys.platform.certificate).validToDate;
      if (now.getTime() >= until.getTime()) {
        throw new PlatformError("ISSUER_EXPIRED", `the PCK CA's certificate ended at ${isoSeconds(until)}`);
      }
      const { issuePckCertificate } = await import("./issuing/index.ts");
      const issued = await issuePckCertificate(keys, request, now, until, random);
      leaf = storePckCertificate(state, keys, request, issued, now);
    }
    return {
      chainPem: leaf + keys.platform.certificate + keys.root.certificate,
      cpuSvn: Uint8Array.from(request.cpuSvn),
      pceSvn: request.pceSvn,
    };
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
