import type { ApiClient } from "../api/api-client.ts";
import { ApiError } from "../api/api-error.ts";

/** As much of the API as publishing needs. */
export type PublishingApi = Pick<ApiClient, "get" | "apply">;

/** Who writes, as the API server notes it beside each field. */
export const FIELD_MANAGER = "sgx-pccs-trust";

export interface ObjectIdentity {
  readonly kind: "ConfigMap" | "Secret";
  readonly namespace: string;
  readonly name: string;
  /** Set where the object has to be made anew. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What was done about an object: `removed` is one that somebody deleted, which is made again the next time. */
export type Publication = "kept" | "written" | "removed";

/**
 * A ConfigMap or Secret whose named keys hold what they should. Other keys, labels and annotations are left alone.
 *
 * An object that this process has seen and that is gone is made again only when it is still gone the next time: when
 * the whole installation is being removed, the process is told to stop in between.
 */
export class PublishedObject {
  readonly identity: ObjectIdentity;
  readonly #api: PublishingApi;
  #seen = false;
  #removed = false;

  constructor(api: PublishingApi, identity: ObjectIdentity) {
    this.#api = api;
    this.identity = identity;
  }

  /** `data`: as the API has it, so of a Secret in base64. `found`: called with what is there before it is changed. Throws ApiError. */
  async publish(
    data: Readonly<Record<string, string>>,
    signal: AbortSignal,
    found: (data: Readonly<Record<string, unknown>>) => void = () => {},
  ): Promise<Publication> {
    const present = await this.#read(signal);
    if (present === undefined && this.#seen && !this.#removed) {
      this.#removed = true;
      return "removed";
    }
    const held = dataOf(present);
    if (present !== undefined) {
      this.#seen = true;
      this.#removed = false;
      if (holds(held, data)) return "kept";
      found(held);
    }
    const written = await this.#api.apply(this.#path, this.#body(data), FIELD_MANAGER, { force: true, signal });
    this.#seen = true;
    this.#removed = false;
    if (!holds(dataOf(written), data)) {
      throw new ApiError("API_SERVER_REFUSED", `the API server took ${this.#what} and did not apply it`);
    }
    return "written";
  }

  get #what(): string {
    const { kind, namespace, name } = this.identity;
    return `${kind} ${namespace}/${name}`;
  }

  get #path(): string {
    const { kind, namespace, name } = this.identity;
    const resource = kind === "ConfigMap" ? "configmaps" : "secrets";
    return `/api/v1/namespaces/${encodeURIComponent(namespace)}/${resource}/${encodeURIComponent(name)}`;
  }

  #body(data: Readonly<Record<string, string>>) {
    const { kind, namespace, name, labels } = this.identity;
    return {
      apiVersion: "v1",
      kind,
      metadata: { name, namespace, labels },
      ...(kind === "Secret" ? { type: "Opaque" } : {}),
      data,
    };
  }

  async #read(signal: AbortSignal): Promise<unknown> {
    try {
      return await this.#api.get(this.#path, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  }
}

function dataOf(object: unknown): Readonly<Record<string, unknown>> {
  const data = typeof object === "object" && object !== null && "data" in object ? object.data : undefined;
  return typeof data === "object" && data !== null ? { ...data } : {};
}

function holds(held: Readonly<Record<string, unknown>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([key, value]) => held[key] === value);
}
