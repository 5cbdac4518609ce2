import { Server, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { EndpointSocket } from "./endpoint-socket.ts";

/** Requests name at most the ids of the list twice (available and must-include), which makes them less than twice the list's 4 MiB. */
const RECEIVE_LIMIT = 16 * 1024 * 1024;
/** How long calls that are being answered may keep the server from closing. */
const CLOSE_MS = 1_000;

/** One binding of a resource's socket with a gRPC server of its own, so that nothing of an earlier binding is left. */
export class EndpointServer {
  readonly #server = new Server({
    "grpc.max_send_message_length": -1,
    "grpc.max_receive_message_length": RECEIVE_LIMIT,
    "grpc.enable_channelz": 0,
  });
  #socket: EndpointSocket | undefined;

  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    this.#server.addService(definition, implementation);
  }

  async bind(directory: string, endpoint: string, random: () => number): Promise<void> {
    this.#socket = await EndpointSocket.bind(this.#server, directory, endpoint, random);
  }

  /** Whose the endpoint's path is now. */
  async owner(): ReturnType<EndpointSocket["owner"]> {
    return (await this.#socket?.owner()) ?? "nobody";
  }

  /** Takes the socket out of the directory, if it is still this one. */
  async removeSocket(): Promise<void> {
    await this.#socket?.remove();
  }

  /** Ends the server when the calls it is answering are over, or soon anyway. */
  shutDown(clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const forced = clock.setTimeout(() => this.#server.forceShutdown(), CLOSE_MS);
      this.#server.tryShutdown(() => {
        clock.clearTimeout(forced);
        resolve();
      });
    });
  }

  forceShutdown(): void {
    this.#server.forceShutdown();
  }
}
