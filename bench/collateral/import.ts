import { createHash, randomBytes } from "node:crypto";
import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { type SoftwarePki, TEST_FMSPC, TEST_TCB_LEVELS, type TestPlatform, tcbHex } from "@confcom/collateral/testing";

const DOCUMENTS = 4;
const PLATFORMS_EACH = 250;
/** Of a platform: itself, and for each TCB level a certificate and a raw TCB. */
const ROWS_EACH = PLATFORMS_EACH * (1 + 2 * TEST_TCB_LEVELS.length);

export interface AdminToken {
  readonly token: string;
  /** What the service is given. */
  readonly hash: string;
}

export function adminToken(): AdminToken {
  const token = randomBytes(32).toString("hex");
  return { token, hash: createHash("sha512").update(token).digest("hex") };
}

/**
 * Documents of platform collateral, every certificate genuine under the authority's root: they are checked when they come
 * in. Platforms of their own, so the answers that are measured do not change.
 */
export function importDocuments(authority: SoftwarePki): readonly string[] {
  return Array.from({ length: DOCUMENTS }, (_, number) => {
    const platforms = Array.from({ length: PLATFORMS_EACH }, (_, index) =>
      authority.addPlatform({ name: `imported ${number}/${index}` }),
    );
    return platformCollateral(authority, platforms);
  });
}

function platformCollateral(authority: SoftwarePki, platforms: readonly TestPlatform[]): string {
  const tcbInfo = authority.tcbInfo({ fmspc: TEST_FMSPC });
  return JSON.stringify({
    platforms: platforms.flatMap((platform) => platform.tcbs.map((tcb) => reported(platform, tcbHex(tcb)))),
    collaterals: {
      version: 4,
      pck_certs: platforms.map(({ qeId, pceId, certificates }) => ({
        qe_id: qeId,
        pce_id: pceId,
        certs: certificates.certificates.map(({ tcbm, certificate = "" }) => ({
          tcbm,
          cert: encodeURIComponent(certificate),
        })),
      })),
      tcbinfos: [{ fmspc: TEST_FMSPC, sgx_tcbinfo: JSON.parse(tcbInfo.body) }],
      certificates: {
        "SGX-PCK-Certificate-Issuer-Chain": { PLATFORM: encodeURIComponent(authority.pckIssuerChain("platform")) },
        "TCB-Info-Issuer-Chain": encodeURIComponent(tcbInfo.issuerChain),
      },
    },
  });
}

function reported(platform: TestPlatform, rawTcb: { readonly cpuSvn: string; readonly pceSvn: string }) {
  return {
    qe_id: platform.qeId,
    pce_id: platform.pceId,
    cpu_svn: rawTcb.cpuSvn,
    pce_svn: rawTcb.pceSvn,
    enc_ppid: platform.encryptedPpid,
    platform_manifest: "",
  };
}

/** Puts the documents one after another, over and over, no faster than `rowsPerSecond`, until it is stopped. */
export class RunningImport {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress: "127.3.0.1" });
  readonly #started = performance.now();
  readonly #work: Promise<void>;
  #rows = 0;
  #stopped = false;

  constructor(port: number, token: string, documents: readonly string[], rowsPerSecond: number) {
    this.#work = this.#run(
      port,
      token,
      documents.map((document) => Buffer.from(document)),
      rowsPerSecond,
    );
    // It is awaited at the end; a failure before that must not end the program unsaid.
    this.#work.catch(() => undefined);
  }

  /** Rows acknowledged per second. */
  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#work;
    this.#agent.destroy();
    return (this.#rows * 1000) / (performance.now() - this.#started);
  }

  async #run(port: number, token: string, documents: readonly Buffer[], rowsPerSecond: number): Promise<void> {
    for (let turn = 0; !this.#stopped; turn++) {
      const status = await this.#put(port, token, documents[turn % documents.length] ?? Buffer.alloc(0));
      if (status !== 200) throw new Error(`the service answered ${status} to an import`);
      this.#rows += ROWS_EACH;
      const due = this.#started + (this.#rows * 1000) / rowsPerSecond;
      if (!this.#stopped) await delay(Math.max(0, due - performance.now()));
    }
  }

  #put(port: number, token: string, document: Buffer): Promise<number> {
    const headers = { "admin-token": token, "content-type": "application/json", "content-length": document.length };
    const path = "/sgx/certification/v4/platformcollateral";
    return new Promise((resolve, reject) => {
      const asked = request({ port, path, headers, host: "127.0.0.1", method: "PUT", agent: this.#agent }, (answer) => {
        answer.resume();
        answer.on("end", () => resolve(answer.statusCode ?? 0));
      });
      asked.on("error", reject);
      asked.end(document);
    });
  }
}
