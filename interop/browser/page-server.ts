import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PageQuestion, PageReport } from "./question.ts";

const MAX_REPORT = 1 << 20;
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>verification</title><script type="module" src="/page.js"></script>';

/** Serves the test page on loopback and waits for its report. */
export class PageServer {
  readonly #server: Server;
  readonly #script: string;
  readonly #questions: readonly PageQuestion[];
  readonly #reports = Promise.withResolvers<PageReport>();

  private constructor(script: string, questions: readonly PageQuestion[]) {
    this.#script = script;
    this.#questions = questions;
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async start(script: string, questions: readonly PageQuestion[]): Promise<PageServer> {
    const page = new PageServer(script, questions);
    page.#server.listen(0, "127.0.0.1");
    await once(page.#server, "listening");
    return page;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** What the page found, once it says so. */
  get report(): Promise<PageReport> {
    return this.#reports.promise;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const send = (type: string, body: string) =>
      // Nothing but its own script and server: no eval, nothing inline, no other host.
      response.writeHead(200, { "content-type": type, "content-security-policy": "default-src 'self'" }).end(body);
    switch (`${request.method} ${request.url}`) {
      case "GET /":
        send("text/html", PAGE);
        break;
      case "GET /page.js":
        send("text/javascript", this.#script);
        break;
      case "GET /questions":
        send("application/json", JSON.stringify(this.#questions));
        break;
      case "POST /report":
        this.#receive(request, response);
        break;
      default:
        response.writeHead(404).end();
    }
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    let size = 0;
    request.on("data", (part: Buffer) => {
      size += part.length;
      if (size > MAX_REPORT) request.destroy();
      else parts.push(part);
    });
    request.on("end", () => {
      response.writeHead(204).end();
      try {
        this.#reports.resolve(JSON.parse(Buffer.concat(parts).toString("utf8")) as PageReport);
      } catch (error) {
        this.#reports.reject(error);
      }
    });
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
