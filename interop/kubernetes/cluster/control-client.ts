import { connect, type Socket } from "node:net";
import { type ControlAnswer, type ControlRequest, receiveLines, sendLine } from "./control-protocol.ts";
import { CLUSTER_ERRORS, ClusterError, type ClusterErrorCode } from "./errors.ts";

interface Pending {
  resolve(): void;
  reject(error: ClusterError): void;
}

/** A connection to a cluster's supervisor. It does not keep the process alive. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  /** Where the supervisor's progress goes. */
  log: (line: string) => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    receiveLines<ControlAnswer>(socket, (answer) => this.#received(answer));
    socket.once("close", () => {
      for (const { reject } of this.#pending.values()) {
        reject(
          new ClusterError("NOT_RUNNING", "the cluster's supervisor ended; its last words are in logs/supervisor.log"),
        );
      }
      this.#pending.clear();
    });
  }

  static connect(path: string): Promise<ControlClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new ControlClient(socket));
      });
    });
  }

  ask(request: ControlRequest): Promise<void> {
    const id = this.#next++;
    this.#socket.ref();
    return new Promise<void>((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new ClusterError("NOT_RUNNING", "the cluster's supervisor ended"));
        return;
      }
      this.#pending.set(id, { resolve, reject });
      sendLine(this.#socket, { id, ...request });
    }).finally(() => {
      if (this.#pending.size === 0) this.#socket.unref();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(answer: ControlAnswer): void {
    if ("line" in answer) {
      this.log(answer.line);
      return;
    }
    const pending = this.#pending.get(answer.id);
    this.#pending.delete(answer.id);
    if (answer.ok) pending?.resolve();
    else pending?.reject(new ClusterError(codeOf(answer.code), answer.message));
  }
}

function codeOf(code: string): ClusterErrorCode {
  return code in CLUSTER_ERRORS ? (code as ClusterErrorCode) : "COMPONENT_FAILED";
}
