import type { ApiClient } from "../../api/api-client.ts";
import { ApiError } from "../../api/api-error.ts";
import { WEBHOOK_AUTHORITY_SECRET } from "../../manifests/object-names.ts";
import {
  type AuthoritySecret,
  changedSecret,
  newSecret,
  readAuthoritySecret,
  type SecretObject,
} from "./authority-secret.ts";
import type { AuthorityState } from "./authority-state.ts";

/** The Secret in the cluster. Writes only what nobody has changed meanwhile. Throws ApiError. */
export class AuthorityStore {
  readonly #api: ApiClient;
  readonly #namespace: string;
  readonly #collection: string;

  constructor(api: ApiClient, namespace: string) {
    this.#api = api;
    this.#namespace = namespace;
    this.#collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  }

  /** As people name it. */
  get name(): string {
    return `Secret ${this.#namespace}/${WEBHOOK_AUTHORITY_SECRET}`;
  }

  async read(signal: AbortSignal): Promise<AuthoritySecret | { readonly kind: "absent" }> {
    try {
      return readAuthoritySecret(await this.#api.get(`${this.#collection}/${WEBHOOK_AUTHORITY_SECRET}`, signal));
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return { kind: "absent" };
      throw error;
    }
  }

  /** False: somebody else was quicker. */
  create(state: AuthorityState, signal: AbortSignal): Promise<boolean> {
    return unlessConflict(this.#api.create(this.#collection, newSecret(this.#namespace, state), signal));
  }

  /** False: it was changed or deleted since it was read. */
  replace(read: SecretObject, state: AuthorityState, answered: boolean, signal: AbortSignal): Promise<boolean> {
    const path = `${this.#collection}/${WEBHOOK_AUTHORITY_SECRET}`;
    return unlessConflict(this.#api.replace(path, changedSecret(read, state, answered), signal));
  }
}

async function unlessConflict(write: Promise<unknown>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (error instanceof ApiError && (error.status === 409 || error.status === 404)) return false;
    throw error;
  }
}
