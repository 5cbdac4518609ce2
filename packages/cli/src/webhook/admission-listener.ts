import type { Server } from "node:https";
import { type ListenAddress, listening } from "@confcom/kubernetes/status";
import { type AdmissionHandlerOptions, createAdmissionServer } from "@confcom/kubernetes/webhook";
import type { ServingCertificate } from "@confcom/kubernetes/webhook-authority";

/** How long requests under way may take once nobody is listened to any more, ms; API servers wait 5 s. */
const LAST_REQUESTS = 10_000;

/** Where the API server calls. Listens from the beginning; without a certificate every handshake fails. */
export class AdmissionListener {
  readonly #server: Server;
  readonly address: ListenAddress;
  #draining = false;

  private constructor(server: Server, address: ListenAddress) {
    this.#server = server;
    this.address = address;
  }

  /** Throws KubernetesError `STATUS_ADDRESS_UNUSABLE`. */
  static async start(
    listen: ListenAddress,
    options: Omit<AdmissionHandlerOptions, "draining">,
  ): Promise<AdmissionListener> {
    let started: AdmissionListener | undefined;
    const server = createAdmissionServer({
      ...options,
      tls: { cert: "", key: "" },
      draining: () => started?.draining === true,
    });
    started = new AdmissionListener(server, await listening(server, listen));
    return started;
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** For every connection from now on; those that exist stay as they are. */
  use({ certificate, privateKey }: ServingCertificate): void {
    this.#server.setSecureContext({ cert: certificate, key: privateKey, minVersion: "TLSv1.2" });
  }

  /** From now on each answer ends its connection, so that API servers turn to other replicas. */
  drain(): void {
    this.#draining = true;
  }

  /** Listens no more and waits for the requests under way, at most 10 s. */
  async close(): Promise<void> {
    this.#draining = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const impatience = setTimeout(() => this.#server.closeAllConnections(), LAST_REQUESTS);
    await closed;
    clearTimeout(impatience);
  }
}
