import { createHash } from "node:crypto";
import { encodePckExtension, fromHex, PCK_EXTENSION_OID, SGX_TYPE, toHex } from "@confcom/sgx";
import { pemText, SigningKey } from "@confcom/verify/testing";
import type { AnswerTo, CollateralAnswer, IdentityAnswer, PckCrlAnswer, TcbInfoAnswer } from "../answer.ts";
import type {
  ApiVersion,
  CertificationCa,
  CollateralRequest,
  IdentityName,
  PckCertificateRequest,
  TcbUpdate,
  Tee,
} from "../request.ts";
import type { PckCertificates } from "../source.ts";
import { ManualClock } from "./manual-clock.ts";
import {
  issueTestCertificate,
  signTestCrl,
  type TestIssuer,
  type TestKey,
  testSerialNumber,
} from "./test-certificate.ts";
import { identityText, TEST_TCB_LEVELS, type TestTcb, type TestTcbLevel, tcbInfoText } from "./test-documents.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_MS = 365 * DAY_MS;
const FROM = Date.UTC(2020, 0, 1);
const UNTIL = Date.UTC(2049, 11, 31, 23, 59, 59);

export const TEST_FMSPC = "C0FC0A000000";
const CAS = ["processor", "platform"] as const;
const CA_NAMES: Readonly<Record<CertificationCa, string>> = {
  processor: "SGX PCK Processor CA",
  platform: "SGX PCK Platform CA",
};

export interface SoftwarePkiOptions {
  /** Two PKIs of different names share no key. */
  readonly name?: string;
  readonly clock?: ManualClock;
  /** Where the certificates' distribution points are; no host by default. */
  readonly crlBase?: string;
  /** What common names begin with. Some clients take documents of CAs with Intel's names only. */
  readonly vendor?: "Confcom Test" | "Intel";
}

/** Dates of one document; left out, it is issued now and lives as long as Intel's do. */
export interface TestDates {
  /** Milliseconds since 1970. */
  readonly issued?: number;
  readonly nextUpdate?: number;
}

export interface TestPckOptions {
  readonly ca?: CertificationCa;
  readonly fmspc?: string;
  /** 4 hexadecimal digits, little-endian bytes. */
  readonly pceId?: string;
  /** 16 bytes. */
  readonly ppid?: Uint8Array;
  readonly tcb?: TestTcb;
  readonly notBefore?: number;
  readonly notAfter?: number;
}

export interface TestPlatformOptions {
  /** Its identity and PPID are made of this. */
  readonly name?: string;
  readonly ca?: CertificationCa;
  readonly fmspc?: string;
  readonly pceId?: string;
  /** What certificates there are for. */
  readonly tcbs?: readonly TestTcb[];
  /** TCBs for which the provisioning service says "Not available". */
  readonly notAvailable?: readonly TestTcb[];
}

/** A platform that the test PKI knows. Hexadecimal is upper case. */
export interface TestPlatform {
  readonly qeId: string;
  readonly pceId: string;
  readonly fmspc: string;
  readonly ca: CertificationCa;
  readonly ppid: Uint8Array;
  /** 768 digits: what names a platform of the Processor CA, and may name one of the Platform CA. */
  readonly encryptedPpid: string;
  /** Empty for the Processor CA. */
  readonly platformManifest: string;
  readonly tcbs: readonly TestTcb[];
  readonly certificates: PckCertificates;
}

/** CPUSVN and PCESVN as requests and TCBm write them: upper case, PCESVN in little-endian bytes. */
export function tcbHex({ components, pceSvn }: TestTcb): { readonly cpuSvn: string; readonly pceSvn: string } {
  const low = (pceSvn & 0xff).toString(16).padStart(2, "0");
  const high = (pceSvn >> 8).toString(16).padStart(2, "0");
  return { cpuSvn: toHex(components).toUpperCase(), pceSvn: (low + high).toUpperCase() };
}

export function tcbmOf(tcb: TestTcb): string {
  const { cpuSvn, pceSvn } = tcbHex(tcb);
  return cpuSvn + pceSvn;
}

/** What a platform asks for at a raw TCB; by default at the highest that it has a certificate for. */
export function pckRequest(platform: TestPlatform, tcb?: TestTcb): PckCertificateRequest {
  const raw = tcb ?? (platform.tcbs[0] as TestTcb);
  const { qeId, pceId, encryptedPpid } = platform;
  return { kind: "pck-certificate", qeId, pceId, ...tcbHex(raw), encryptedPpid };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/**
 * A provisioning authority for tests, all in memory and synchronous: any platform, any TCB, any document, any date, signed
 * under one root by keys that are made of names. The authority of `@confcom/quoting` issues for one platform family only.
 */
export class SoftwarePki {
  readonly clock: ManualClock;
  /** 65 bytes: what to trust. */
  readonly trustedRoot: Uint8Array;
  readonly rootPem: string;
  readonly rootCaCrlUrl: string;
  /** PEM: TCB signing certificate and root. */
  readonly tcbIssuerChain: string;
  /** What standard and early documents carry; a test may raise them. */
  readonly evaluation: Record<TcbUpdate, number> = { standard: 17, early: 18 };
  /** TCB levels of an FMSPC that has others than {@link TEST_TCB_LEVELS}. */
  readonly levels = new Map<string, readonly TestTcbLevel[]>();
  readonly platforms = new Map<string, TestPlatform>();
  readonly #byCredential = new Map<string, TestPlatform>();
  readonly #fmspcs = new Set([TEST_FMSPC]);
  readonly #name: string;
  readonly #vendor: string;
  readonly #crlBase: string;
  readonly #root: TestIssuer;
  readonly #cas: Readonly<Record<CertificationCa, TestIssuer>>;
  readonly #chains: Readonly<Record<CertificationCa, string>>;
  readonly #signer: SigningKey;
  readonly #pck: SigningKey;
  readonly #revoked: Record<CertificationCa | "root", Uint8Array[]> = { root: [], processor: [], platform: [] };
  #serial = 0;

  constructor(options: SoftwarePkiOptions = {}) {
    const {
      name = "test",
      clock = new ManualClock(),
      crlBase = "https://confcom.invalid",
      vendor = "Confcom Test",
    } = options;
    this.clock = clock;
    this.#name = name;
    this.#vendor = vendor;
    this.#crlBase = crlBase;
    const key = (of: string) => new SigningKey(`${name}: ${of}`);
    this.#root = { commonName: `${vendor} SGX Root CA`, key: key("root") };
    this.#cas = {
      processor: { commonName: `${vendor} ${CA_NAMES.processor}`, key: key("processor CA") },
      platform: { commonName: `${vendor} ${CA_NAMES.platform}`, key: key("platform CA") },
    };
    this.#signer = key("TCB signing");
    this.#pck = key("PCK");
    this.trustedRoot = this.#root.key.point;
    this.rootCaCrlUrl = `${crlBase}/IntelSGXRootCA.der`;
    const root = this.#issue(this.#root.commonName, this.#root.key, true, "root");
    this.rootPem = pemText(root);
    const chain = (ca: CertificationCa) =>
      pemText(this.#issue(this.#cas[ca].commonName, this.#cas[ca].key, true, `${ca} CA`), root);
    this.#chains = { processor: chain("processor"), platform: chain("platform") };
    this.tcbIssuerChain = pemText(this.#issue(`${vendor} SGX TCB Signing`, this.#signer, false, "signing"), root);
  }

  #issue(commonName: string, key: TestKey, isCa: boolean, serial: string): Uint8Array {
    return issueTestCertificate({
      issuer: this.#root,
      commonName,
      key,
      notBefore: FROM,
      notAfter: UNTIL,
      serialNumber: testSerialNumber(`${this.#name}: ${serial}`),
      crlUrl: this.rootCaCrlUrl,
      isCa,
    });
  }

  /** PEM: intermediate and root. */
  pckIssuerChain(ca: CertificationCa): string {
    return this.#chains[ca];
  }

  pckCrlUrl(ca: CertificationCa): string {
    return `${this.#crlBase}/sgx/certification/v4/pckcrl?ca=${ca}&encoding=der`;
  }

  /** PEM of a PCK certificate. */
  pckCertificate(options: TestPckOptions = {}): string {
    const { ca = "platform", fmspc = TEST_FMSPC, pceId = "0000", tcb = TEST_TCB_LEVELS[0] as TestTcb } = options;
    const { ppid = new Uint8Array(16).fill(0x11), notBefore = FROM, notAfter = UNTIL } = options;
    const extension = {
      ppid,
      tcb: { components: tcb.components, pceSvn: tcb.pceSvn, cpuSvn: tcb.components },
      // Most significant byte first, unlike in requests.
      pceId: fromHex(pceId, 2).reverse(),
      fmspc: fromHex(fmspc, 6),
      sgxType: ca === "platform" ? SGX_TYPE.SCALABLE : SGX_TYPE.STANDARD,
    };
    const platform = {
      platformInstanceId: new Uint8Array(16).fill(0x22),
      dynamicPlatform: false,
      cachedKeys: false,
      smtEnabled: false,
    };
    const der = issueTestCertificate({
      issuer: this.#cas[ca],
      commonName: `${this.#vendor} SGX PCK Certificate`,
      key: this.#pck,
      notBefore,
      notAfter,
      serialNumber: testSerialNumber(`${this.#name}: ${ca} ${this.#serial++}`),
      crlUrl: this.pckCrlUrl(ca),
      isCa: false,
      further: [
        {
          oid: PCK_EXTENSION_OID,
          value: encodePckExtension(ca === "platform" ? { ...extension, platform } : extension),
        },
      ],
    });
    return pemText(der);
  }

  /** Puts a certificate (PEM) on the CRL of a PCK CA, or a CA or signing certificate on the root's. */
  revoke(pem: string, issuer: CertificationCa | "root"): void {
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
    // Version, then the serial number: always 20 bytes here.
    const at = der.indexOf(Buffer.of(0xa0, 0x03, 0x02, 0x01, 0x02, 0x02, 0x14)) + 7;
    this.#revoked[issuer].push(Uint8Array.from(der.subarray(at, at + 20)));
  }

  /** Makes a platform that {@link answer} then knows. */
  addPlatform(options: TestPlatformOptions = {}): TestPlatform {
    const { name = `platform ${this.platforms.size}`, ca = "platform", fmspc = TEST_FMSPC, pceId = "0000" } = options;
    const { tcbs = TEST_TCB_LEVELS, notAvailable = [] } = options;
    const qeId = digest(`qe id ${name}`).subarray(0, 16).toString("hex").toUpperCase();
    const ppid = Uint8Array.from(digest(`ppid ${name}`).subarray(0, 16));
    const encryptedPpid = digest(`encrypted ppid ${name}`).toString("hex").toUpperCase().repeat(12);
    const manifest = `${digest(`manifest ${name}`).toString("hex").toUpperCase()}00`.repeat(8);
    const platform: TestPlatform = {
      qeId,
      pceId,
      fmspc,
      ca,
      ppid,
      encryptedPpid,
      platformManifest: ca === "platform" ? manifest : "",
      tcbs,
      certificates: {
        ca,
        fmspc,
        issuerChain: this.pckIssuerChain(ca),
        certificates: [
          ...tcbs.map((tcb) => ({
            tcbm: tcbmOf(tcb),
            certificate: this.pckCertificate({ ca, fmspc, pceId, ppid, tcb }),
          })),
          ...notAvailable.map((tcb) => ({ tcbm: tcbmOf(tcb), certificate: undefined })),
        ],
      },
    };
    this.platforms.set(qeId, platform);
    this.#fmspcs.add(fmspc);
    this.#byCredential.set(encryptedPpid, platform);
    if (platform.platformManifest !== "") this.#byCredential.set(platform.platformManifest, platform);
    return platform;
  }

  /** The platform that one of these names. */
  platformOf(credential: {
    readonly qeId?: string;
    readonly encryptedPpid?: string;
    readonly platformManifest?: string;
  }): TestPlatform | undefined {
    const { qeId = "", encryptedPpid = "", platformManifest = "" } = credential;
    return (
      this.platforms.get(qeId.toUpperCase()) ??
      this.#byCredential.get(encryptedPpid.toUpperCase()) ??
      this.#byCredential.get(platformManifest)
    );
  }

  /** 128 hexadecimal digits over exactly this text, by the TCB signing key. */
  sign(text: string): string {
    return toHex(this.#signer.sign(new TextEncoder().encode(text)));
  }

  /** A whole document around any inner text. */
  signedDocument(name: "tcbInfo" | "enclaveIdentity", inner: string): string {
    return `{"${name}":${inner},"signature":"${this.sign(inner)}"}`;
  }

  tcbInfo(
    options: {
      readonly tee?: Tee;
      readonly fmspc?: string;
      /** As in requests: 4 hexadecimal digits, little-endian bytes. */
      readonly pceId?: string;
      readonly version?: ApiVersion;
      readonly update?: TcbUpdate;
      readonly tcbEvaluationDataNumber?: number;
      readonly levels?: readonly TestTcbLevel[];
    } & TestDates = {},
  ): TcbInfoAnswer {
    const { tee = "sgx", fmspc = TEST_FMSPC, pceId = "0000", version = 4, update = "standard" } = options;
    const { issued = this.clock.now() } = options;
    const { nextUpdate = issued + 30 * DAY_MS, tcbEvaluationDataNumber = this.evaluation[update] } = options;
    const { levels = this.levels.get(fmspc) ?? TEST_TCB_LEVELS } = options;
    const document = { tee, fmspc, pceId: toHex(fromHex(pceId, 2).reverse()).toUpperCase(), version };
    const inner = tcbInfoText({ ...document, tcbEvaluationDataNumber, issued, nextUpdate, levels });
    return { kind: "tcb-info", body: this.signedDocument("tcbInfo", inner), issuerChain: this.tcbIssuerChain };
  }

  identity(
    options: {
      readonly id?: IdentityName;
      readonly update?: TcbUpdate;
      readonly tcbEvaluationDataNumber?: number;
    } & TestDates = {},
  ): IdentityAnswer {
    const { id = "QE", update = "standard", issued = this.clock.now() } = options;
    const { nextUpdate = issued + 30 * DAY_MS, tcbEvaluationDataNumber = this.evaluation[update] } = options;
    const inner = identityText({ id, tcbEvaluationDataNumber, issued, nextUpdate });
    return { kind: "identity", body: this.signedDocument("enclaveIdentity", inner), issuerChain: this.tcbIssuerChain };
  }

  /** DER of the CRL of a PCK CA or of the root. Its number grows with its date. */
  crl(issuer: CertificationCa | "root", dates: TestDates & { readonly number?: number } = {}): Uint8Array {
    const { issued = this.clock.now() } = dates;
    const { nextUpdate = issued + (issuer === "root" ? YEAR_MS : 30 * DAY_MS), number } = dates;
    return signTestCrl({
      issuer: issuer === "root" ? this.#root : this.#cas[issuer],
      number: number ?? Math.max(1, Math.floor((issued - FROM) / 1000)),
      thisUpdate: issued,
      nextUpdate,
      revoked: this.#revoked[issuer],
    });
  }

  pckCrl(ca: CertificationCa, dates: TestDates & { readonly number?: number } = {}): PckCrlAnswer {
    return { kind: "pck-crl", crl: this.crl(ca, dates), issuerChain: this.pckIssuerChain(ca) };
  }

  /**
   * The right answer to any request; undefined for a platform or URL that the PKI does not know, and for a TCB below every
   * certificate. TCB info there is for the FMSPCs of platforms, for those in `levels`, and for {@link TEST_FMSPC}.
   */
  answer<R extends CollateralRequest>(request: R, dates: TestDates = {}): AnswerTo<R> | undefined {
    return this.#answer(request, dates) as AnswerTo<R> | undefined;
  }

  #answer(request: CollateralRequest, dates: TestDates): CollateralAnswer | undefined {
    switch (request.kind) {
      case "pck-certificate":
        return this.#pckAnswer(request, dates);
      case "pck-crl":
        return this.pckCrl(request.ca, dates);
      case "tcb-info":
        return this.#knows(request.fmspc) ? this.tcbInfo({ ...request, ...dates }) : undefined;
      case "identity":
        return this.identity({ ...request, ...dates });
      case "root-ca-crl":
        return { kind: "root-ca-crl", crl: this.crl("root", dates) };
      case "crl": {
        const ca = CAS.find((name) => request.url === this.pckCrlUrl(name));
        if (ca !== undefined) return { kind: "crl", crl: this.crl(ca, dates) };
        return request.url === this.rootCaCrlUrl ? { kind: "crl", crl: this.crl("root", dates) } : undefined;
      }
    }
  }

  #knows(fmspc: string): boolean {
    return this.#fmspcs.has(fmspc) || this.levels.has(fmspc);
  }

  #pckAnswer(request: PckCertificateRequest, { issued, nextUpdate }: TestDates): CollateralAnswer | undefined {
    const platform = this.platformOf({ qeId: request.qeId }) ?? this.platformOf(request);
    if (platform === undefined) return undefined;
    const cpuSvn = fromHex(request.cpuSvn, 16);
    const [low, high] = fromHex(request.pceSvn, 2) as unknown as [number, number];
    const index = platform.tcbs.findIndex(
      (tcb) => tcb.pceSvn <= low + 256 * high && tcb.components.every((svn, i) => svn <= (cpuSvn[i] as number)),
    );
    const chosen = platform.certificates.certificates[index];
    const tcb = platform.tcbs[index];
    if (chosen?.certificate === undefined || tcb === undefined) return undefined;
    const { ca, fmspc, pceId, ppid } = platform;
    const reissued = () =>
      this.pckCertificate({
        ca,
        fmspc,
        pceId,
        ppid,
        tcb,
        ...(issued === undefined ? {} : { notBefore: issued, notAfter: nextUpdate ?? issued + 30 * DAY_MS }),
      });
    return {
      kind: "pck-certificate",
      certificate: issued === undefined ? chosen.certificate : reissued(),
      issuerChain: this.pckIssuerChain(ca),
      tcbm: chosen.tcbm,
      fmspc,
      ca,
    };
  }
}

export function softwarePki(options: SoftwarePkiOptions = {}): SoftwarePki {
  return new SoftwarePki(options);
}
