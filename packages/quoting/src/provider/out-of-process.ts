import { type AesmClient, AesmError } from "@confcom/aesm";
import { Aesm, bytesEqual, Quote3 } from "@confcom/sgx";
import type { Quoting } from "./quote-provider.ts";
import { QuoteProviderError } from "./quote-provider-error.ts";

/**
 * Another process makes the quotes; it is reached through AESM (spec: AESM §1.4, §6). One that was restarted or replaced
 * between two calls may have to make or load its key first (42): it is asked to, and the call is made again, unless the
 * report was for another quoting enclave than the one that answers now.
 */
export class OutOfProcessQuoting implements Quoting {
  readonly #connect: () => AesmClient;
  #client: AesmClient | undefined;
  /** What reports were made for: of the last call that asked. */
  #targetInfo: Uint8Array | undefined;

  constructor(connect: () => AesmClient) {
    this.#connect = connect;
  }

  async targetInfo(): Promise<Uint8Array> {
    const { targetInfo } = await this.#service().initQuote();
    this.#targetInfo = targetInfo;
    return targetInfo;
  }

  async quoteSize(): Promise<number> {
    return this.#withKey(() => this.#service().quoteSize());
  }

  async quote(report: Uint8Array, quoteSize: number): Promise<Uint8Array> {
    const { quote } = await this.#withKey(() => this.#service().getQuote(report, quoteSize));
    return quote;
  }

  async setLoadPolicy(): Promise<never> {
    throw new QuoteProviderError(
      Quote3.UNSUPPORTED_MODE,
      "out of process, the quote helper decides how long its enclaves stay loaded",
      { nextStep: "leave the enclave load policy alone, or unset SGX_AESM_ADDR to quote in-process" },
    );
  }

  async close(): Promise<void> {}

  async #withKey<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (error) {
      // Who never asked for the target info is to be told so, as in-process.
      const known = this.#targetInfo;
      const keyGone = error instanceof AesmError && error.aesm === Aesm.ATT_KEY_NOT_INITIALIZED;
      if (!keyGone || known === undefined) throw error;
      const { targetInfo } = await this.#service().initQuote();
      if (!bytesEqual(targetInfo, known)) throw error;
      return call();
    }
  }

  #service(): AesmClient {
    this.#client ??= this.#connect();
    return this.#client;
  }
}
