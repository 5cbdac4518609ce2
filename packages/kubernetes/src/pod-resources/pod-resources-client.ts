import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { Clock } from "../clock.ts";
import { KubernetesError } from "../errors.ts";
import { OWN_RESOURCES, POD_RESOURCES_SOCKET } from "../names.ts";
import { decodePodResources, type PodAllocation } from "./decode-pod-resources.ts";

export interface PodResourcesClientOptions {
  readonly clock: Pick<Clock, "now">;
  /** The kubelet's socket as this process sees it. */
  readonly socketPath?: string;
  /** For each question, milliseconds. */
  readonly deadlineMs?: number;
  /** Bytes of the largest answer taken. The kubelet writes some 50 bytes for each EPC device that a container holds. */
  readonly maxAnswer?: number;
  /** Whose allocations are kept; those of {@link OWN_RESOURCES} by default. */
  readonly resourceNames?: readonly string[];
}

/** What the kubelet says, or that it could not be asked: that is a state in which the node goes on working. */
export type PodResourcesAnswer =
  | { readonly reached: true; readonly allocations: readonly PodAllocation[] }
  | { readonly reached: false; readonly error: KubernetesError };

const DEFAULT_DEADLINE_MS = 2_000;
const DEFAULT_MAX_ANSWER = 16 * 1024 * 1024;
const LIST = "/v1.PodResourcesLister/List";

/** Asks the kubelet which container holds which devices (its PodResources API, v1). */
export class PodResourcesClient {
  readonly #options: Required<PodResourcesClientOptions>;
  #client: Client | undefined;

  constructor(options: PodResourcesClientOptions) {
    this.#options = {
      clock: options.clock,
      socketPath: options.socketPath ?? POD_RESOURCES_SOCKET,
      deadlineMs: options.deadlineMs ?? DEFAULT_DEADLINE_MS,
      maxAnswer: options.maxAnswer ?? DEFAULT_MAX_ANSWER,
      resourceNames: options.resourceNames ?? OWN_RESOURCES,
    };
  }

  /** Throws `POD_RESOURCES_UNREACHABLE`. */
  async list(): Promise<readonly PodAllocation[]> {
    const bytes = await this.#call();
    try {
      return decodePodResources(bytes, this.#options.resourceNames);
    } catch (cause) {
      throw this.#unreachable("its answer is malformed", cause);
    }
  }

  /** As {@link list}, without an exception for a kubelet that cannot be asked. */
  async ask(): Promise<PodResourcesAnswer> {
    try {
      return { reached: true, allocations: await this.list() };
    } catch (error) {
      if (error instanceof KubernetesError) return { reached: false, error };
      throw error;
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }

  #call(): Promise<Buffer> {
    const { clock, deadlineMs } = this.#options;
    this.#client ??= this.#connect();
    const client = this.#client;
    return new Promise((resolve, reject) => {
      const settled = (error: ServiceError | null, answer?: Buffer): void => {
        if (error === null && answer !== undefined) {
          resolve(answer);
          return;
        }
        // A kubelet that was restarted has another socket, and a channel that failed waits longer and longer.
        client.close();
        if (this.#client === client) this.#client = undefined;
        reject(this.#unreachable(error === null ? "it did not answer" : describe(error, deadlineMs), error));
      };
      const deadline = new Date(clock.now() + deadlineMs);
      client.makeUnaryRequest(
        LIST,
        () => Buffer.alloc(0),
        (bytes: Buffer) => bytes,
        undefined,
        { deadline },
        settled,
      );
    });
  }

  #connect(): Client {
    const { socketPath, maxAnswer } = this.#options;
    return new Client(`unix:${socketPath}`, credentials.createInsecure(), {
      // Without this, channels of the whole process share connections, and their back-off, by address.
      "grpc.use_local_subchannel_pool": 1,
      "grpc.max_receive_message_length": maxAnswer,
      "grpc.default_authority": "localhost",
      "grpc.enable_retries": 0,
    });
  }

  #unreachable(why: string, cause: unknown): KubernetesError {
    const { socketPath } = this.#options;
    const message = `the kubelet's PodResources socket ${socketPath} gave no list of allocated devices: ${why}`;
    return new KubernetesError("POD_RESOURCES_UNREACHABLE", message, { cause });
  }
}

function describe(error: ServiceError, deadlineMs: number): string {
  if (error.code === status.DEADLINE_EXCEEDED) return `no answer within ${deadlineMs} ms`;
  if (error.code === status.UNAVAILABLE) return `nobody answers there (${error.details})`;
  return error.details;
}
