import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Collateral } from "@confcom/sgx";
import {
  confcom,
  createReport,
  type Daemon,
  fixture,
  Places,
  type QuoteHelper,
  type QuoteHelperOptions,
  startQuoteHelper,
} from "./confcom.ts";
import { bytesField, decodeFrame, encodeFrame, exchange, type Message, numberField, replaceFields } from "./frame.ts";
import { OpenSsl } from "./openssl.ts";
import { pemBlocks } from "./quote-parts.ts";

/** Requests as captured from Intel's client and gramine's. */
export const CAPTURED = {
  initSize: () => fixture("aesm/intel-flow.0.req"),
  init: () => fixture("aesm/intel-flow.1.req"),
  size: () => fixture("aesm/intel-flow.2.req"),
  quote: () => fixture("aesm/intel-flow.3.req"),
  gramineInit: () => fixture("aesm/gramine.0.req"),
  gramineQuote: () => fixture("aesm/gramine.1.req"),
};

/** A quote helper, what it exports, and one quote that Intel's captured requests got from it. */
export interface Subject {
  readonly helper: QuoteHelper;
  readonly targetInfo: Uint8Array;
  readonly pubKeyId: string;
  readonly quoteSize: number;
  readonly report: Uint8Array;
  readonly quote: Uint8Array;
  readonly collateral: Collateral;
  readonly rootPem: string;
}

/** What the checks share. Subjects are made at first use and end with the run. */
export class Scene {
  readonly places: Places;
  readonly openssl: OpenSsl;
  readonly now: () => Date;
  readonly #daemons: Daemon[] = [];
  #subject: Promise<Subject> | undefined;

  constructor(temporary: string, now: () => Date) {
    this.places = new Places(temporary);
    this.openssl = new OpenSsl(this.places);
    this.now = now;
  }

  /** The subject that every check may use and none may stop. */
  subject(): Promise<Subject> {
    this.#subject ??= this.makeSubject({});
    return this.#subject;
  }

  /** A fresh quote helper on fresh state. */
  async startFresh(options: Partial<QuoteHelperOptions>): Promise<QuoteHelper> {
    return this.start({ ...this.places.fresh(), ...options });
  }

  async start(options: QuoteHelperOptions): Promise<QuoteHelper> {
    return this.keep(await startQuoteHelper(options));
  }

  /** The run ends it, and shows what it logged where a check fails. */
  keep<T extends Daemon>(daemon: T): T {
    this.#daemons.push(daemon);
    return daemon;
  }

  async makeSubject(options: Partial<QuoteHelperOptions>): Promise<Subject> {
    const helper = await this.startFresh(options);
    const { targetInfo, pubKeyId } = await initQuote(helper.socket);
    const report = await createReport({ targetInfo, reportData: Buffer.alloc(64, 0x5a) });
    const quoteSize = await getQuoteSize(helper.socket);
    const quote = await getQuote(helper.socket, report, quoteSize);
    const collateral = await this.exportCollateral(helper.state);
    const rootPem = pemBlocks(collateral.tcb_info_issuer_chain).at(-1);
    if (rootPem === undefined) throw new Error("the exported TCB info issuer chain has no certificate");
    return { helper, targetInfo, pubKeyId, quoteSize, report, quote, collateral, rootPem };
  }

  async exportCollateral(state: string): Promise<Collateral> {
    const file = join(this.places.fresh().state, "..", "collateral.json");
    await confcom(["collateral", "export", "--state", state, "--out", file]);
    return JSON.parse(await readFile(file, "utf8")) as Collateral;
  }

  /** The last lines that daemons logged since this was last asked: where to look when a check fails. */
  recentLog(): string[] {
    const lines = this.#daemons.flatMap((daemon) => daemon.said.splice(0).join("").trim().split("\n"));
    return lines.filter((line) => line !== "").slice(-5);
  }

  async close(): Promise<void> {
    await Promise.all(this.#daemons.map((daemon) => daemon.kill()));
  }
}

/** Sends a captured request, with some fields replaced if need be, and returns the successful reply. */
export async function call(
  socket: string,
  request: Uint8Array,
  replacements: ReadonlyMap<number, bigint | Uint8Array> = new Map(),
): Promise<Message> {
  const message = decodeFrame(request);
  const bytes = replacements.size === 0 ? request : encodeFrame(replaceFields(message, replacements));
  const reply = decodeFrame(await exchange(socket, bytes));
  if (reply.operation !== message.operation)
    throw new Error(`operation ${message.operation} answered as ${reply.operation}`);
  const code = numberField(reply, 1);
  if (code !== 0) throw new AesmAnswer(message.operation, code ?? -1);
  return reply;
}

/** A reply with an errorCode other than 0. */
export class AesmAnswer extends Error {
  readonly code: number;

  constructor(operation: number, code: number) {
    super(`operation ${operation} answered errorCode ${code}`);
    this.code = code;
  }
}

export async function initQuote(socket: string): Promise<{ targetInfo: Uint8Array; pubKeyId: string }> {
  await call(socket, CAPTURED.initSize());
  const reply = await call(socket, CAPTURED.init());
  const targetInfo = bytesField(reply, 2);
  const pubKeyId = bytesField(reply, 4);
  if (targetInfo?.length !== 512 || pubKeyId?.length !== 32)
    throw new Error("init_quote_ex without target info or key id");
  return { targetInfo, pubKeyId: Buffer.from(pubKeyId).toString("hex") };
}

export async function getQuoteSize(socket: string): Promise<number> {
  const size = numberField(await call(socket, CAPTURED.size()), 2);
  if (size === undefined) throw new Error("get_quote_size_ex without a size");
  return size;
}

export async function getQuote(socket: string, report: Uint8Array, size: number): Promise<Uint8Array> {
  const quote = bytesField(await call(socket, CAPTURED.quote(), quoteFields(report, size)), 2);
  if (quote?.length !== size) throw new Error(`asked for ${size} bytes of quote, got ${quote?.length ?? "none"}`);
  return quote;
}

/** getQuoteExReq: report is field 1, buf_size field 4. */
export function quoteFields(report: Uint8Array, size: number): Map<number, bigint | Uint8Array> {
  return new Map<number, bigint | Uint8Array>([
    [1, report],
    [4, BigInt(size)],
  ]);
}
