import { X509Certificate } from "node:crypto";
import { bytesEqual, concatBytes, REPORT_BODY_SIZE, toHex } from "@confcom/sgx";
import { verifyP256 } from "../crypto/p256.ts";
import { PlatformError } from "../errors.ts";
import type { StateDirectory, StateWarning } from "../state/index.ts";
import { cpuSvnName } from "./cpu/cpu-svn.ts";
import type { RandomBytes } from "./cpu/fuses.ts";
import type { SoftwareCpu } from "./cpu/software-cpu.ts";
import { Pce, type PceTcb } from "./pce/pce.ts";
import { PCE_CRYPTO_SUITE, PCE_ID } from "./pce/pce-identity.ts";
import type { PckChain, PlatformRegistrant, ProvisioningAuthority } from "./provisioning-authority.ts";
import { qeId } from "./qe/attestation-key.ts";
import {
  CERTIFICATION_KEY_TYPE,
  ECDSA_BLOB_FILE,
  ECDSA_BLOB_SIZE,
  type EcdsaBlob,
  readableEcdsaId,
} from "./qe/ecdsa-blob.ts";
import { QE_ISV_SVN } from "./qe/qe-identity.ts";
import { quoteTemplate } from "./qe/quote-template.ts";
import { QuotingEnclave } from "./qe/quoting-enclave.ts";
import { sealTcbOf } from "./qe/sealed-data.ts";
import type { AttestationKeySnapshot } from "./snapshot.ts";

export interface KeyLifecycleOptions {
  readonly state: StateDirectory;
  readonly cpu: SoftwareCpu;
  readonly authority: ProvisioningAuthority;
  readonly now: () => Date;
  readonly random: RandomBytes;
  readonly warn: StateWarning;
}

/**
 * When an attestation key is kept, certified again, or made (spec: DCAP §7, init_quote). A key is returned only after
 * its blob is durable, so a key that was handed out is there again after any crash.
 */
export class KeyLifecycle {
  readonly #options: KeyLifecycleOptions;
  readonly #pce: Pce;
  readonly #qe: QuotingEnclave;

  constructor(options: KeyLifecycleOptions) {
    this.#options = options;
    this.#pce = new Pce(options.cpu);
    this.#qe = new QuotingEnclave(options.cpu, options.random);
  }

  /** The stored key if it is good for the present TCB, with its chain; undefined when a new one must be made. */
  async load(): Promise<AttestationKeySnapshot | undefined> {
    const stored = this.#readBlob();
    if (stored === undefined || !this.#isOfPresentTcb(stored.key)) return undefined;
    const { chain, leaf } = await this.#chain();
    const certified = isSameTcb(stored.key.certTcb, chain) && isSignedBy(leaf, stored.key);
    const key = certified ? stored.key : this.#certify(stored.key, chain);
    if (!certified || stored.reseal) this.#store(key);
    return snapshotOf(key, chain);
  }

  /** The stored key if it is good, else a new one: made, certified and stored. */
  async loadOrMake(): Promise<AttestationKeySnapshot> {
    return (await this.load()) ?? (await this.#make());
  }

  async #make(): Promise<AttestationKeySnapshot> {
    const { encryptionKey } = this.#options.authority;
    const { chain } = await this.#chain();
    const target = this.#pce.targetInfo;
    const rsaKey = concatBytes(encryptionKey.n, encryptionKey.e);
    const pcInfo = this.#pce.getPcInfo(this.#qe.encryptionKeyReport(target, rsaKey), rsaKey, PCE_CRYPTO_SUITE);
    const key = this.#certify(this.#qe.generateKey(target, pcInfo), chain);
    this.#store(key);
    return snapshotOf(key, chain);
  }

  #certify(key: EcdsaBlob, tcb: PceTcb): EcdsaBlob {
    return this.#qe.storeCertData(
      key,
      { cpuSvn: tcb.cpuSvn, pceSvn: tcb.pceSvn },
      this.#pce.certifyEnclave(tcb, key.qeReport),
    );
  }

  #store(key: EcdsaBlob): void {
    this.#options.state.replace(ECDSA_BLOB_FILE, this.#qe.seal(key));
  }

  /** The chain for the raw TCB, and that it is for the key this PCE certifies with. */
  async #chain(): Promise<{ readonly chain: PckChain; readonly leaf: X509Certificate }> {
    const raw = this.#pce.rawTcb;
    const chain = await this.#options.authority.pckChain({
      ppid: this.#pce.ppid(),
      cpuSvn: raw.cpuSvn,
      pceSvn: raw.pceSvn,
      pceId: PCE_ID,
      pckPublicKey: this.#pce.pckPublicKey(raw),
      registrant: () => this.#registrant(),
    });
    const leaf = leafOf(chain);
    const { x, y } = leaf.publicKey.export({ format: "jwk" });
    const certified = Buffer.concat([Buffer.from(x ?? "", "base64url"), Buffer.from(y ?? "", "base64url")]);
    if (!bytesEqual(certified, this.#pce.pckPublicKey(chain))) {
      throw new PlatformError("ISSUER_INVALID", "the PCK certificate is for another key than the PCE's at its TCB");
    }
    return { chain, leaf };
  }

  #registrant(): PlatformRegistrant {
    const pce = this.#pce;
    return {
      qeId: qeId(this.#options.cpu),
      keys: pce.certifiableTcbs.map((tcb) => ({ ...tcb, pckPublicKey: pce.pckPublicKey(tcb) })),
      proveKey: (key, statement) => pce.proveKey(key, statement),
    };
  }

  #readBlob(): { readonly key: EcdsaBlob; readonly reseal: boolean } | undefined {
    const { state, now, warn } = this.#options;
    const sealed = state.read(ECDSA_BLOB_FILE);
    if (sealed === undefined) return undefined;
    try {
      return this.#qe.verifyBlob(sealed);
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      // Not damage: a platform that went back to an older CPUSVN cannot open what it sealed before, by design.
      if (error.code === "EGETKEY_INVALID_CPUSVN" && isOfAnotherTcb(sealed)) return undefined;
      const aside = state.moveAside(ECDSA_BLOB_FILE, now());
      warn(`${ECDSA_BLOB_FILE} is damaged (${error.message}); moved to ${aside}; ${this.#successorOf(sealed)}`);
      return undefined;
    }
  }

  /** Says which key comes after a damaged blob's; that it is the same one only after comparing the two. */
  #successorOf(sealed: Uint8Array): string {
    const [held, next] = [readableEcdsaId(sealed), this.#qe.presentKeyId];
    if (held === undefined) return `which key it held cannot be read, and the key made next is ${toHex(next)}`;
    if (bytesEqual(held, next)) return `the same key is made again: ${toHex(next)}`;
    return `it names the key ${toHex(held)}, which this platform cannot make now, and the key made next is ${toHex(next)}`;
  }

  #isOfPresentTcb(key: EcdsaBlob): boolean {
    return (
      key.certificationKeyType === CERTIFICATION_KEY_TYPE &&
      key.certQeIsvSvn >= QE_ISV_SVN &&
      bytesEqual(key.rawTcb.cpuSvn, this.#options.cpu.svn) &&
      bytesEqual(key.pceTargetInfo, this.#pce.targetInfo)
    );
  }
}

function isOfAnotherTcb(sealed: Uint8Array): boolean {
  return sealed.length === ECDSA_BLOB_SIZE && cpuSvnName(sealTcbOf(sealed).cpuSvn) !== undefined;
}

function isSameTcb(a: PceTcb, b: PceTcb): boolean {
  return bytesEqual(a.cpuSvn, b.cpuSvn) && a.pceSvn === b.pceSvn;
}

function isSignedBy(leaf: X509Certificate, key: EcdsaBlob): boolean {
  return verifyP256(leaf.publicKey, key.qeReport.subarray(0, REPORT_BODY_SIZE), key.qeReportSignature);
}

function leafOf(chain: PckChain): X509Certificate {
  try {
    // Of several PEM blocks the first is read: the leaf.
    return new X509Certificate(chain.chainPem);
  } catch (cause) {
    throw new PlatformError("ISSUER_INVALID", "the PCK chain does not begin with a certificate", { cause });
  }
}

function snapshotOf(key: EcdsaBlob, chain: PckChain): AttestationKeySnapshot {
  return { privateKey: key.privateKey, pubKeyId: key.ecdsaId, template: quoteTemplate(key, chain.chainPem) };
}
