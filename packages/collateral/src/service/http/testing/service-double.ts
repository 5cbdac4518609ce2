import type { CollateralAnswer } from "../../../answer.ts";
import { type CollateralRequest, requestKey } from "../../../request.ts";
import type { ChangeListener, StoreChange } from "../../../store/store.ts";
import type { CollateralService, Served } from "../../service.ts";

export const PEM_CHAIN =
  "-----BEGIN CERTIFICATE-----\nAA+/=\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nROOT\n-----END CERTIFICATE-----\n";
export const PEM_LEAF = "-----BEGIN CERTIFICATE-----\nLEAF\n-----END CERTIFICATE-----\n";
export const CRL_DER = new Uint8Array([0x30, 0x82, 0x00, 0xff]);
export const TCB_JSON = '{"tcbInfo":{"id":"SGX"},"signature":"00"}';

/** A service whose answers a test sets, and which notes what it was asked. */
export class ServiceDouble implements CollateralService {
  readonly mode = "LAZY";
  /** Everything asked, as a text: a request's key, or the call. */
  readonly asked: string[] = [];
  readonly #listeners = new Set<ChangeListener>();
  /** Replaces what get() answers. */
  onGet: ((request: CollateralRequest, asking?: () => void) => Served | Promise<Served>) | undefined;
  /** Replaces what the other calls do. */
  onCall: ((call: string, ...values: readonly unknown[]) => unknown) | undefined;

  get(request: CollateralRequest, asking?: () => void): never {
    this.asked.push(requestKey(request));
    const served = this.onGet?.(request, asking) ?? served200(request);
    // The answer fits the request; the compiler cannot see that through the union.
    return served as never;
  }

  register = async (...values: Parameters<CollateralService["register"]>) => {
    await this.#call("register", ...values);
  };

  platforms = async (source: Parameters<CollateralService["platforms"]>[0]) =>
    (await this.#call("platforms", source)) as Awaited<ReturnType<CollateralService["platforms"]>>;

  putPlatformCollateral = async (json: Uint8Array) => {
    await this.#call("putPlatformCollateral", new TextDecoder().decode(json));
  };

  refresh = async (certificatesOf?: readonly string[]) => {
    await this.#call("refresh", certificatesOf);
  };

  putPolicy = async (policy: Parameters<CollateralService["putPolicy"]>[0]) =>
    (await this.#call("putPolicy", policy)) as string;

  policies = async (fmspc: string) => (await this.#call("policies", fmspc)) as readonly string[];

  ping = async () => {};
  close = async () => {};

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  change(changes: readonly StoreChange[] | undefined): void {
    for (const listener of this.#listeners) listener(changes);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  async #call(call: string, ...values: readonly unknown[]): Promise<unknown> {
    this.asked.push(`${call} ${JSON.stringify(values)}`);
    return this.onCall?.(call, ...values);
  }
}

export function served200(request: CollateralRequest): Served {
  return { answer: answerTo(request), stale: false, until: Number.MAX_SAFE_INTEGER };
}

function answerTo(request: CollateralRequest): CollateralAnswer {
  switch (request.kind) {
    case "pck-certificate":
      return {
        kind: "pck-certificate",
        certificate: PEM_LEAF,
        issuerChain: PEM_CHAIN,
        tcbm: `${request.cpuSvn}${request.pceSvn}`,
        fmspc: "00606A000000",
        ca: "platform",
      };
    case "pck-crl":
      return { kind: "pck-crl", crl: CRL_DER, issuerChain: PEM_CHAIN };
    case "root-ca-crl":
      return { kind: "root-ca-crl", crl: CRL_DER };
    case "crl":
      return { kind: "crl", crl: CRL_DER };
    case "tcb-info":
      return { kind: "tcb-info", body: TCB_JSON, issuerChain: PEM_CHAIN };
    case "identity":
      return { kind: "identity", body: TCB_JSON, issuerChain: PEM_CHAIN };
  }
}
