import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { CollateralAnswer } from "../answer.ts";
import type { ApiVersion, CertificationCa, CollateralRequest, IdentityName, TcbUpdate, Tee } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import { changedReply, type Fault, type Reply, sendReply, withForgedSignature } from "./fake-faults.ts";
import { certificatesReply, errorReply, replyOf, type ServiceForm } from "./fake-replies.ts";
import type { SoftwarePki, TestPlatform } from "./software-pki.ts";
import type { TestTls } from "./test-tls.ts";

const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

export interface FakeServiceOptions {
  readonly pki: SoftwarePki;
  readonly form?: ServiceForm;
  /** HTTPS with this certificate. */
  readonly tls?: TestTls;
  /** Provisioning service: what Ocp-Apim-Subscription-Key must be where a key is needed; any, if left out. */
  readonly apiKey?: string;
  /** Seconds, sent as Cache-Control: max-age with every 200. */
  readonly maxAge?: number;
}

export interface SeenRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Path and query as they came. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

interface PendingFault {
  readonly fault: Fault;
  readonly path: string | RegExp;
  times: number;
}

export interface FaultRule {
  /** A part of path and query, or an expression that they match; all if left out. */
  readonly path?: string | RegExp;
  /** For how many requests; until {@link FakeService.heal} if left out. */
  readonly times?: number;
}

function matches(url: string, path: string | RegExp): boolean {
  return typeof path === "string" ? url.includes(path) : path.test(url);
}

/** An HTTP service on loopback that answers as Intel's PCS, a PCCS or Azure's THIM does, from a test PKI, with faults. */
export class FakeService {
  readonly form: ServiceForm;
  /** Everything that was asked, in its order. */
  readonly requests: SeenRequest[] = [];
  readonly #options: FakeServiceOptions;
  readonly #faults: PendingFault[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  constructor(options: FakeServiceOptions) {
    this.#options = options;
    this.form = options.form ?? "pcs";
  }

  /** Scheme, host and port, no slash at the end. */
  get origin(): string {
    return `${this.#options.tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** What a client is configured with: ends in a slash. */
  get base(): string {
    const prefix = this.form === "thim" ? "/metadata/THIM" : "";
    return `${this.origin}${prefix}/sgx/certification/v4/`;
  }

  get rootCaCrlUrl(): string {
    return `${this.origin}/IntelSGXRootCA.der`;
  }

  /** How many requests had this in path and query. */
  count(path: string | RegExp = ""): number {
    return this.requests.filter(({ url }) => matches(url, path)).length;
  }

  /** From now on requests fail like this; of several rules for one request the oldest counts. */
  fail(fault: Fault, { path = "", times = Number.POSITIVE_INFINITY }: FaultRule = {}): void {
    this.#faults.push({ fault, path, times });
  }

  heal(): void {
    this.#faults.length = 0;
  }

  /** Listens; the port is chosen once, so that a service that was away comes back where it was. */
  async accept(): Promise<void> {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const url = request.url ?? "/";
        const body = Buffer.concat(chunks).toString("utf8");
        const { pathname: path, searchParams: query } = new URL(url, "http://fake.invalid");
        const seen = { method: request.method ?? "GET", path, query, url, headers: request.headers, body };
        this.requests.push(seen);
        const fault = this.#nextFault(url);
        const reply = changedReply(fault, this.#withMaxAge(this.#reply(seen, fault)));
        sendReply(request, response, reply, fault, (timer) => this.#timers.add(timer));
      });
      request.on("error", () => {});
      response.on("error", () => {});
    };
    const { tls } = this.#options;
    const server =
      tls === undefined ? createServer(listener) : createTlsServer({ key: tls.key, cert: tls.certificate }, listener);
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(this.#port, "127.0.0.1", () => resolve());
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  /** Stops listening and ends every connection: connections are refused until {@link accept}. */
  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  close(): Promise<void> {
    return this.refuse();
  }

  #nextFault(url: string): Fault | undefined {
    const pending = this.#faults.find((rule) => rule.times > 0 && matches(url, rule.path));
    if (pending === undefined) return undefined;
    pending.times--;
    return pending.fault;
  }

  #withMaxAge(reply: Reply): Reply {
    const { maxAge } = this.#options;
    if (maxAge === undefined || reply.status !== 200) return reply;
    return { ...reply, headers: { ...reply.headers, "Cache-Control": `max-age=${maxAge}` } };
  }

  #reply(seen: SeenRequest, fault: Fault | undefined): Reply {
    const { form } = this;
    const place = /\/(sgx|tdx)\/certification\/v([34])\/(.+)$/.exec(seen.path);
    const file = /\/[^/]+\.(der|crl)$/.exec(seen.path);
    const version: ApiVersion = place?.[2] === "3" ? 3 : 4;
    const resource = place?.[3] ?? "";
    const tee = (place?.[1] ?? "sgx") as Tee;
    if (seen.method === "POST" && resource === "platforms" && form === "pccs") return errorReply(200, form);
    if (resource === "pckcerts" && form === "pcs") return this.#certificates(seen, version, fault);
    if (resource === "pckcert" && form === "pcs" && !this.#keyFits(seen)) return errorReply(401, form);
    const request = file === null ? collateralRequest(resource, tee, version, seen.query) : ({ kind: "crl" } as const);
    if (request === "malformed") return errorReply(400, form);
    if (request === undefined) return errorReply(404, form);
    const asked: CollateralRequest =
      request.kind === "crl" && !("url" in request) ? { kind: "root-ca-crl" } : (request as CollateralRequest);
    const answer = this.#answer(asked, fault);
    if (answer === undefined) return errorReply(this.#missing(asked), form);
    const encoding = file === null ? seen.query.get("encoding") : "der";
    const shape = { form: file === null ? form : "pcs", version, encoding, maxAge: this.#options.maxAge } as const;
    return replyOf(answer, shape);
  }

  #keyFits(seen: SeenRequest): boolean {
    const { apiKey } = this.#options;
    return apiKey === undefined || seen.headers["ocp-apim-subscription-key"] === apiKey;
  }

  #missing(request: CollateralRequest): number {
    if (this.form !== "pccs" || request.kind !== "pck-certificate") return 404;
    return this.#options.pki.platformOf({ qeId: request.qeId }) === undefined ? 461 : 462;
  }

  #answer(request: CollateralRequest, fault: Fault | undefined): CollateralAnswer | undefined {
    const { pki } = this.#options;
    const dates = fault?.kind === "expired" ? { issued: pki.clock.now() - 2 * YEAR_MS } : {};
    const answer = pki.answer(request, dates);
    if (answer === undefined) return undefined;
    if (fault?.kind === "wrong-signature") return withForgedSignature(answer);
    return fault?.kind === "answer" ? fault.change(answer) : answer;
  }

  /** GET with encrypted_ppid, POST with a manifest. */
  #certificates(seen: SeenRequest, version: ApiVersion, fault: Fault | undefined): Reply {
    if (!this.#keyFits(seen)) return errorReply(401, this.form);
    let platform: TestPlatform | undefined;
    if (seen.method === "POST") {
      let content: unknown;
      try {
        content = JSON.parse(seen.body);
      } catch {
        return errorReply(400, this.form);
      }
      const { platformManifest, pceid } = content as { platformManifest?: string; pceid?: string };
      if (typeof platformManifest !== "string" || typeof pceid !== "string") return errorReply(400, this.form);
      platform = this.#options.pki.platformOf({ platformManifest });
    } else {
      const encryptedPpid = seen.query.get("encrypted_ppid");
      if (encryptedPpid === null || seen.query.get("pceid") === null) return errorReply(400, this.form);
      platform = this.#options.pki.platformOf({ encryptedPpid });
    }
    if (platform === undefined) return errorReply(404, this.form);
    return certificatesReply(this.#changedCertificates(platform, fault), version);
  }

  #changedCertificates({ certificates: set }: TestPlatform, fault: Fault | undefined): PckCertificates {
    if (fault?.kind !== "wrong-signature") return set;
    const forged = (certificate: string) => {
      const answer = withForgedSignature({ ...set, kind: "pck-certificate", certificate, tcbm: "" });
      return answer.kind === "pck-certificate" ? answer.certificate : certificate;
    };
    const certificates = set.certificates.map(({ tcbm, certificate }) => ({
      tcbm,
      certificate: certificate === undefined ? undefined : forged(certificate),
    }));
    return { ...set, certificates };
  }
}

function updateOf(query: URLSearchParams): TcbUpdate {
  return query.get("update") === "early" ? "early" : "standard";
}

/** What a path and query ask for, in every way in which clients write it. */
function collateralRequest(
  resource: string,
  tee: Tee,
  version: ApiVersion,
  query: URLSearchParams,
): CollateralRequest | "malformed" | undefined {
  const hex = (name: string, digits: number): string | undefined => {
    const value = query.get(name) ?? "";
    return value.length === digits && /^[0-9a-f]+$/i.test(value) ? value.toUpperCase() : undefined;
  };
  switch (resource) {
    case "pckcert": {
      const qeId = query.get("qeid")?.toUpperCase() ?? "";
      const [cpuSvn, pceSvn, pceId] = [hex("cpusvn", 32), hex("pcesvn", 4), hex("pceid", 4)];
      const encryptedPpid = hex("encrypted_ppid", 768);
      if (cpuSvn === undefined || pceSvn === undefined || pceId === undefined) return "malformed";
      if (qeId === "" && encryptedPpid === undefined) return "malformed";
      const ppid = encryptedPpid === undefined ? {} : { encryptedPpid };
      return { kind: "pck-certificate", qeId, cpuSvn, pceSvn, pceId, ...ppid };
    }
    case "pckcrl": {
      const ca = query.get("ca")?.toLowerCase() ?? /ca(?:=|%3d)(processor|platform)/i.exec(query.get("uri") ?? "")?.[1];
      if (ca === undefined) return query.has("uri") ? { kind: "root-ca-crl" } : "malformed";
      return ca === "processor" || ca === "platform" ? { kind: "pck-crl", ca: ca as CertificationCa } : "malformed";
    }
    case "tcb": {
      const fmspc = hex("fmspc", 12);
      return fmspc === undefined ? "malformed" : { kind: "tcb-info", tee, fmspc, version, update: updateOf(query) };
    }
    case "qe/identity":
    case "qve/identity": {
      const id: IdentityName = resource === "qve/identity" ? "QVE" : tee === "tdx" ? "TD_QE" : "QE";
      return { kind: "identity", id, version, update: updateOf(query) };
    }
    case "rootcacrl":
      return { kind: "root-ca-crl" };
    case "crl": {
      const url = query.get("uri");
      return url === null ? "malformed" : { kind: "crl", url };
    }
    default:
      return undefined;
  }
}

/** A service that listens already. The caller closes it. */
export async function fakeService(options: FakeServiceOptions): Promise<FakeService> {
  const service = new FakeService(options);
  await service.accept();
  return service;
}
