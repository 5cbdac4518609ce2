import { Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent } from "node:https";
import { isDeepStrictEqual } from "node:util";

/** What a connection is made with; a connection made with other certificates is another one's. */
export type TlsCredentials = Pick<AgentOptions, "ca" | "cert" | "key" | "rejectUnauthorized" | "servername">;

/** Of one command: lists of different kinds are read side by side. */
const CONNECTIONS = 8;

/** An idle connection is closed before load balancers forget it, ms. */
const IDLE = 60_000;

/** Connections to one API server, kept from call to call for as long as the credentials are the same. */
export class KeptConnections {
  readonly #encrypted: boolean;
  readonly #agents = new Set<HttpAgent>();
  #current: { readonly tls: TlsCredentials; readonly agent: HttpAgent } | undefined;

  constructor(encrypted: boolean) {
    this.#encrypted = encrypted;
  }

  agent(tls: TlsCredentials): HttpAgent {
    if (this.#current === undefined || !isDeepStrictEqual(this.#current.tls, tls)) {
      const options = { keepAlive: true, maxSockets: CONNECTIONS, timeout: IDLE };
      const agent = this.#encrypted ? new HttpsAgent({ ...options, ...tls }) : new HttpAgent(options);
      // Calls under the credentials of before may still be on their way.
      this.#agents.add(agent);
      this.#current = { tls, agent };
    }
    return this.#current.agent;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
    this.#agents.clear();
    this.#current = undefined;
  }
}
