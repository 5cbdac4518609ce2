import type { PckCertificateAnswer } from "../../answer.ts";
import { CollateralError } from "../../errors.ts";
import type { HttpAnswer, HttpClient } from "../../http/index.ts";
import type { CollateralRequest } from "../../request.ts";
import type { CollateralSource, Fetched, PckCertificates } from "../../source.ts";
import { ManualClock } from "../../testing/index.ts";
import type { RemoteAuthorityOptions } from "../helper/remote-authority.ts";
import type { SoftwareUpstream } from "../software-upstream.ts";

const NAME = "PCCS at https://pccs.test:8081/sgx/certification/v4/";
const BASE_URL = "https://pccs.test:8081/sgx/certification/v4/";

/** A PCCS over the real software upstream, without a network: what a helper sees of `confcom pccs --upstream software`. */
export class UpstreamAsPccs {
  readonly clock: ManualClock;
  /** What it was asked for, in order: kinds of requests, and "register". */
  readonly asked: string[] = [];
  down = false;
  userToken = "user token";
  readonly #upstream: SoftwareUpstream;
  readonly #platforms = new Map<string, PckCertificates>();

  constructor(upstream: SoftwareUpstream, clock: ManualClock = new ManualClock()) {
    this.#upstream = upstream;
    this.clock = clock;
  }

  /** What a helper that was given this token and root opens its authority with, but for its state directory. */
  helperOptions(token: string | undefined = "user token"): Omit<RemoteAuthorityOptions, "state"> {
    return {
      source: this.#source(),
      desk: { http: this.#http(), name: NAME, baseUrl: BASE_URL, userToken: () => token },
      rootCertificatePem: this.#upstream.rootCertificatePem,
      clock: this.clock,
      random: () => 0.5,
    };
  }

  #reach(what: string): void {
    this.asked.push(what);
    if (this.down) throw new CollateralError("SOURCE_UNREACHABLE", `${NAME}: the connection was refused`);
  }

  #source(): CollateralSource {
    return {
      kind: "pccs",
      name: NAME,
      fetch: async <R extends CollateralRequest>(request: R, options: { signal: AbortSignal }) => {
        this.#reach(request.kind);
        if (request.kind !== "pck-certificate") return this.#upstream.fetch(request, options);
        const platform = this.#platforms.get(request.qeId);
        if (platform === undefined) {
          throw new CollateralError("PLATFORM_UNKNOWN", `${NAME} answered 461: platform unknown`, { status: 461 });
        }
        const tcbm = request.cpuSvn + request.pceSvn;
        const certificate = platform.certificates.find((each) => each.tcbm === tcbm)?.certificate;
        if (certificate === undefined) throw new CollateralError("CERTIFICATES_UNAVAILABLE", `${NAME} answered 462`);
        const { issuerChain, fmspc, ca } = platform;
        const answer: PckCertificateAnswer = { kind: "pck-certificate", certificate, issuerChain, tcbm, fmspc, ca };
        return { answer } as unknown as Fetched<R>;
      },
    };
  }

  #http(): HttpClient {
    const answered = (status: number): HttpAnswer => ({ status, headers: {}, body: new Uint8Array() });
    return {
      clock: this.clock,
      close: () => {},
      fetchBytes: async ({ url, method, headers, body, signal }) => {
        this.#reach("register");
        if (url !== `${BASE_URL}platforms` || method !== "POST") return answered(404);
        if (headers?.["user-token"] !== this.userToken) return answered(401);
        const { qe_id, platform_manifest, pce_id } = JSON.parse(String(body)) as Record<string, string>;
        try {
          const platformManifest = platform_manifest ?? "";
          const certificates = await this.#upstream.pckCertificates({ platformManifest }, pce_id ?? "", { signal });
          this.#platforms.set(qe_id ?? "", certificates);
          return answered(200);
        } catch {
          return answered(400);
        }
      },
    };
  }
}
