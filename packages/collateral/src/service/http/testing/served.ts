import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { ManualClock } from "../../../testing/manual-clock.ts";
import { type PccsServer, type PccsServerOptions, startPccsServer } from "../pccs-server.ts";
import { ServiceDouble } from "./service-double.ts";

export const USER_TOKEN = "user token of the tests";
export const ADMIN_TOKEN = "admin token of the tests";
export const V4 = "/sgx/certification/v4";

export const sha512 = (text: string): string => createHash("sha512").update(text).digest("hex");

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface ServedTest {
  readonly server: PccsServer;
  readonly service: ServiceDouble;
  readonly clock: ManualClock;
  /** The access log's lines so far, those that wait included. */
  log(): readonly Readonly<Record<string, unknown>>[];
  ask(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Reply>;
  /** Sends bytes as they are and resolves with everything that came back until the server ended the connection. */
  raw(bytes: string): Promise<string>;
}

/** A server on loopback with a double behind it, gone when the test ends. */
export async function serve(
  t: { after(run: () => Promise<void>): void },
  options: Partial<PccsServerOptions> = {},
): Promise<ServedTest> {
  const service = new ServiceDouble();
  const clock = new ManualClock();
  let lines = "";
  const server = await startPccsServer({
    service,
    listen: { host: "127.0.0.1", port: 0 },
    plainHttp: true,
    tokens: { user: [sha512(USER_TOKEN)], admin: [sha512("another"), sha512(ADMIN_TOKEN)] },
    clock,
    random: () => 0.5,
    accessLog: (text) => {
      lines += text;
    },
    ...options,
  });
  t.after(() => {
    // The deadline is the manual clock's: it has to come.
    const closed = server.close({ deadlineMs: 0 });
    clock.advance(1);
    return closed;
  });
  const { host, port } = server.address;
  return {
    server,
    service,
    clock,
    log() {
      clock.advance(50);
      return lines
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
    ask: (method, path, headers = {}, body) =>
      new Promise((resolve, reject) => {
        const request = httpRequest({ host, port, method, path, headers, agent: false }, (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.on("end", () => {
            const bytes = Buffer.concat(chunks);
            const { statusCode: status = 0, headers: given } = response;
            resolve({ status, headers: given, body: bytes, text: bytes.toString("utf8") });
          });
        });
        request.on("error", reject);
        request.end(body);
      }),
    raw: (bytes) =>
      new Promise((resolve) => {
        const socket = connect({ host, port });
        let answer = "";
        socket.on("data", (chunk) => {
          answer += chunk.toString("latin1");
        });
        socket.on("error", () => {});
        socket.on("close", () => resolve(answer));
        socket.write(bytes, "latin1");
      }),
  };
}
