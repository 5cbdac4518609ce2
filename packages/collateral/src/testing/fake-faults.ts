import type { IncomingMessage, ServerResponse } from "node:http";
import { pemText } from "@confcom/verify/testing";
import type { CollateralAnswer } from "../answer.ts";
import { withWrongSignature } from "./test-certificate.ts";

/** What goes wrong with one answer of a fake source. */
export type Fault =
  /** Answers rightly, so many real milliseconds later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** Reads the request and never answers. */
  | { readonly kind: "hang" }
  /** Closes the connection without a byte. */
  | { readonly kind: "reset" }
  /** Announces the whole length, sends half, and closes the connection. */
  | { readonly kind: "cut" }
  /** Half of the body, a few bytes at a time, then the rest never. */
  | { readonly kind: "drip"; readonly everyMs: number }
  /** Chunks until the client goes away. */
  | { readonly kind: "endless" }
  /** An endless header block. */
  | { readonly kind: "endless-headers" }
  | {
      readonly kind: "status";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The right body under another type. */
  | { readonly kind: "content-type"; readonly value: string }
  /** 200, the right headers, and a body of no meaning. */
  | { readonly kind: "garbage"; readonly body?: Uint8Array }
  /** 200 and nothing. */
  | { readonly kind: "empty" }
  /** Without one of its headers, or with another value. */
  | { readonly kind: "header"; readonly name: string; readonly value?: string }
  /** Every signature in the body is wrong. */
  | { readonly kind: "wrong-signature" }
  /** Rightly signed, and long past its nextUpdate. */
  | { readonly kind: "expired" }
  /** The answer changed by the test. */
  | { readonly kind: "answer"; readonly change: (answer: CollateralAnswer) => CollateralAnswer };

/** A complete answer on its way out. */
export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

function forgedPem(pem: string): string {
  return pemText(withWrongSignature(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64")));
}

/** The same answer with a signature that does not fit: readable in every part. */
export function withForgedSignature(answer: CollateralAnswer): CollateralAnswer {
  switch (answer.kind) {
    case "pck-certificate":
      return { ...answer, certificate: forgedPem(answer.certificate) };
    case "tcb-info":
    case "identity":
      return { ...answer, body: answer.body.replace(/.(?="\}$)/, (digit) => (digit === "0" ? "1" : "0")) };
    default:
      return { ...answer, crl: withWrongSignature(answer.crl) };
  }
}

/** What a fault makes of a reply that is there. */
export function changedReply(fault: Fault | undefined, reply: Reply): Reply {
  switch (fault?.kind) {
    case "status":
      return { status: fault.status, headers: fault.headers ?? {}, body: new TextEncoder().encode(fault.body ?? "") };
    case "content-type":
      return { ...reply, headers: { ...reply.headers, "Content-Type": fault.value } };
    case "garbage":
      return { ...reply, body: fault.body ?? Uint8Array.from({ length: 4000 }, (_, i) => (i * 197 + 31) & 0xff) };
    case "empty":
      return { ...reply, body: new Uint8Array(0) };
    case "header": {
      const kept = Object.entries(reply.headers).filter(([name]) => name.toLowerCase() !== fault.name.toLowerCase());
      const value = fault.value === undefined ? [] : [[fault.name, fault.value] as const];
      return { ...reply, headers: Object.fromEntries([...kept, ...value]) };
    }
    default:
      return reply;
  }
}

/** Sends a reply as the fault has it; timers are handed to `keep`, which ends them with the server. */
export function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  fault: Fault | undefined,
  keep: (timer: NodeJS.Timeout) => void,
): void {
  const { status, headers, body } = reply;
  const whole = { ...headers, "Content-Length": String(body.length) };
  switch (fault?.kind) {
    case "hang":
      return;
    case "reset":
      request.socket.destroy();
      return;
    case "delay":
      keep(setTimeout(() => response.writeHead(status, whole).end(body), fault.ms));
      return;
    case "cut":
      response.writeHead(status, whole);
      response.write(body.subarray(0, body.length >> 1), () => request.socket.destroy());
      return;
    case "drip": {
      response.writeHead(status, whole);
      let at = 0;
      keep(
        setInterval(() => {
          if (at < body.length >> 1) response.write(body.subarray(at, at + 8));
          at += 8;
        }, fault.everyMs),
      );
      return;
    }
    case "endless": {
      response.writeHead(status, headers);
      const chunk = new Uint8Array(64 * 1024).fill(0x20);
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on("drain", more);
      more();
      return;
    }
    case "endless-headers": {
      const { socket } = request;
      const lines = "X-More: 0123456789\r\n".repeat(1000);
      socket.write("HTTP/1.1 200 OK\r\n");
      const more = () => {
        while (!socket.destroyed && socket.write(lines));
      };
      socket.on("drain", more);
      more();
      return;
    }
    default:
      response.writeHead(status, whole).end(body);
  }
}
