import { type ServerWritableStream, status } from "@grpc/grpc-js";
import { KubernetesError } from "../errors.ts";
import type { Empty } from "./api/generated/device-plugin_pb.ts";
import { encodedListSize, encodeList, KUBELET_MESSAGE_LIMIT } from "./list-encoding.ts";
import type { PublishedResource } from "./published-resource.ts";

export type ListStream = ServerWritableStream<Empty, Buffer>;

/** The kubelet opens one; each stream that is not read may hold a whole list of up to 4 MiB in memory. */
const STREAM_LIMIT = 16;

interface OpenStream {
  /** A message is on its way; another one waits until it has left, so that a slow reader holds one message at most. */
  sending: boolean;
  /** The list as it was last handed to the stream. */
  sent: Buffer | undefined;
}

/** The list of one resource, encoded once for all who listen to it and sent again only when it has changed (spec: Kubernetes §1.3). */
export class ListPublisher {
  readonly #resource: PublishedResource;
  readonly #streams = new Map<ListStream, OpenStream>();
  #encoded: Buffer | undefined;
  #total = 0;
  #healthy = 0;
  #tooLarge: { error: KubernetesError; encodedBytes: number } | undefined;

  constructor(resource: PublishedResource) {
    this.#resource = resource;
    this.refresh();
  }

  /** The list as the kubelet gets it; absent when there has been none that it would take. */
  get encoded(): Buffer | undefined {
    return this.#encoded;
  }

  get total(): number {
    return this.#total;
  }

  get healthy(): number {
    return this.#healthy;
  }

  get open(): number {
    return this.#streams.size;
  }

  /** Set while the resource's list is more than the kubelet takes: DEVICE_LIST_TOO_LARGE. What was sent before stays in force. */
  get tooLarge(): { readonly error: KubernetesError; readonly encodedBytes: number } | undefined {
    return this.#tooLarge;
  }

  /** Reads the resource's list again; sends it when its bytes are others. Returns whether they are. */
  refresh(): boolean {
    const devices = this.#resource.devices();
    const size = encodedListSize(devices);
    if (size > KUBELET_MESSAGE_LIMIT) {
      const message = `${this.#resource.resourceName}: the list of ${devices.length} devices has ${size} bytes, more than the kubelet's ${KUBELET_MESSAGE_LIMIT}`;
      this.#tooLarge = { error: new KubernetesError("DEVICE_LIST_TOO_LARGE", message), encodedBytes: size };
      return false;
    }
    this.#tooLarge = undefined;
    const encoded = encodeList(devices);
    if (this.#encoded?.equals(encoded) === true) return false;
    this.#encoded = encoded;
    this.#total = devices.length;
    this.#healthy = devices.reduce((count, device) => count + (device.healthy ? 1 : 0), 0);
    for (const [stream, state] of this.#streams) this.#send(stream, state);
    return true;
  }

  /**
   * Sends the list to `stream` now and whenever it changes; `closed` is called once, when the stream is gone. Refused with
   * RESOURCE_EXHAUSTED, before anything is sent, while there are {@link STREAM_LIMIT}.
   */
  add(stream: ListStream, closed: () => void): void {
    const state: OpenStream = { sending: false, sent: undefined };
    this.#streams.set(stream, state);
    const gone = (): void => {
      if (this.#streams.delete(stream)) closed();
    };
    stream.on("cancelled", gone);
    stream.on("close", gone);
    stream.on("error", gone);
    if (this.#streams.size > STREAM_LIMIT) {
      const details = `confcom: ${this.#resource.resourceName}: ${STREAM_LIMIT} streams listen already`;
      stream.emit("error", { code: status.RESOURCE_EXHAUSTED, details });
    } else this.#send(stream, state);
  }

  /** Ends every stream, in order; their `closed` is called. */
  endAll(): void {
    for (const stream of [...this.#streams.keys()]) stream.end();
  }

  #send(stream: ListStream, state: OpenStream): void {
    const encoded = this.#encoded;
    if (state.sending || encoded === undefined || state.sent === encoded || !this.#streams.has(stream)) return;
    state.sending = true;
    state.sent = encoded;
    stream.write(encoded, () => {
      state.sending = false;
      this.#send(stream, state);
    });
  }
}
