import type { QuotingPlatform } from "@confcom/aesm";
import { ECDSA_P256_KEY_ID, Quote3 } from "@confcom/sgx";
import type { EnclaveLoadPolicy, Quoting } from "./quote-provider.ts";
import { QuoteProviderError } from "./quote-provider-error.ts";

export type OpenPlatform = () => Promise<QuotingPlatform>;

/** The platform in the caller's own process (spec: DCAP §7). */
export class InProcessQuoting implements Quoting {
  readonly #open: OpenPlatform;
  #policy: EnclaveLoadPolicy = "persistent";
  #loaded: Promise<QuotingPlatform> | undefined;

  constructor(open: OpenPlatform) {
    this.#open = open;
  }

  async targetInfo(): Promise<Uint8Array> {
    return this.#with(async (platform) => (await platform.initQuote(ECDSA_P256_KEY_ID)).targetInfo);
  }

  async quoteSize(): Promise<number> {
    return this.#with((platform) => platform.quoteSize(ECDSA_P256_KEY_ID));
  }

  async quote(report: Uint8Array, quoteSize: number): Promise<Uint8Array> {
    return this.#with(async (platform) => {
      const needed = await platform.quoteSize(ECDSA_P256_KEY_ID);
      if (quoteSize < needed) {
        throw new QuoteProviderError(
          Quote3.INVALID_PARAMETER,
          `a quote takes ${needed} bytes, the buffer has ${quoteSize}`,
        );
      }
      const { quote } = await platform.getQuote(ECDSA_P256_KEY_ID, report);
      if (quote.length === quoteSize) return quote;
      const padded = new Uint8Array(quoteSize);
      padded.set(quote);
      return padded;
    });
  }

  /** Going over to ephemeral unloads at once. */
  async setLoadPolicy(policy: EnclaveLoadPolicy): Promise<void> {
    this.#policy = policy;
    if (policy === "ephemeral") await this.close();
  }

  async close(): Promise<void> {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    await (await loaded)?.close();
  }

  async #with<T>(call: (platform: QuotingPlatform) => T | Promise<T>): Promise<T> {
    if (this.#policy === "persistent") return call(await this.#load());
    const platform = await this.#open();
    try {
      return await call(platform);
    } finally {
      await platform.close();
    }
  }

  /** A platform that failed to load is tried again at the next call, rather than failing for the life of the process. */
  #load(): Promise<QuotingPlatform> {
    if (this.#loaded === undefined) {
      const loading = this.#open();
      this.#loaded = loading;
      loading.catch(() => {
        if (this.#loaded === loading) this.#loaded = undefined;
      });
    }
    return this.#loaded;
  }
}
