import type { ApiClient } from "../api/api-client.ts";
import { ApiError } from "../api/api-error.ts";
import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import { CounterContest } from "./counter-contest.ts";
import { type NodePatch, nodePatch, type WantedNode } from "./node-patch.ts";
import { type NodeView, nodeView } from "./node-view.ts";

export interface NodeWriterOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly node: string;
  readonly log: DaemonLog;
}

/** Who writes, as the API server notes it beside each field. */
const FIELD_MANAGER = "confcom-node-status";

/** Makes the node show what it is to show. Writes only where there is a difference. */
export class NodeWriter {
  readonly #options: NodeWriterOptions;
  readonly #contest: CounterContest;
  #shown: NodeView | undefined;
  #writes = 0;

  constructor(options: NodeWriterOptions) {
    this.#options = options;
    this.#contest = new CounterContest(options.clock);
  }

  /** The node as it was last read or written. */
  get shown(): NodeView | undefined {
    return this.#shown;
  }

  get writes(): number {
    return this.#writes;
  }

  /** Counters that somebody else keeps changing back. */
  contested(): readonly string[] {
    return this.#contest.contested();
  }

  /** Throws ApiError. */
  async write(wanted: WantedNode, signal: AbortSignal): Promise<void> {
    // The API server's cache answers the common case, no difference, without a word to its database.
    let patch = this.#compare(await this.#read("?resourceVersion=0", signal), wanted);
    if (patch === undefined) return;
    patch = this.#compare(await this.#read("", signal), wanted);
    if (patch === undefined) return;
    const { node, api, log } = this.#options;
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/status?fieldManager=${FIELD_MANAGER}`;
    this.#shown = nodeView(await api.mergePatch(path, patch, signal));
    this.#writes++;
    for (const [name, quantity] of Object.entries(patch.status?.capacity ?? {})) {
      if (quantity === null) this.#contest.forget(name);
      else this.#contest.wrote(name, quantity);
    }
    log.info({ node, patch }, "node status written");
    if (nodePatch(this.#shown, wanted, this.#contest.notNow()) !== undefined) {
      throw new ApiError("API_SERVER_REFUSED", `the API server took a patch of node ${node} and did not apply it`);
    }
  }

  #compare(node: NodeView, wanted: WantedNode): NodePatch | undefined {
    this.#shown = node;
    const everything = nodePatch(node, wanted)?.status?.capacity ?? {};
    for (const name of Object.keys(wanted.counters)) {
      if (Object.hasOwn(everything, name)) this.#contest.undone(name);
      else this.#contest.holds(name);
    }
    for (const name of wanted.served) this.#contest.forget(name);
    return nodePatch(node, wanted, this.#contest.notNow());
  }

  async #read(query: string, signal: AbortSignal): Promise<NodeView> {
    const { node, api } = this.#options;
    try {
      return nodeView(await api.get(`/api/v1/nodes/${encodeURIComponent(node)}${query}`, signal));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      throw new ApiError("API_SERVER_NO_NODE", error.message, { status: 404, cause: error });
    }
  }
}
