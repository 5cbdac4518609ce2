import type { AesmClient } from "@confcom/aesm";
import { Quote3 } from "@confcom/sgx";
import type { Quoting } from "./quote-provider.ts";
import { QuoteProviderError } from "./quote-provider-error.ts";

/** Another process makes the quotes; it is reached through AESM (spec: AESM §1.4, §6). */
export class OutOfProcessQuoting implements Quoting {
  readonly #connect: () => AesmClient;
  #client: AesmClient | undefined;

  constructor(connect: () => AesmClient) {
    this.#connect = connect;
  }

  async targetInfo(): Promise<Uint8Array> {
    return (await this.#service().initQuote()).targetInfo;
  }

  async quoteSize(): Promise<number> {
    return this.#service().quoteSize();
  }

  async quote(report: Uint8Array, quoteSize: number): Promise<Uint8Array> {
    return (await this.#service().getQuote(report, quoteSize)).quote;
  }

  async setLoadPolicy(): Promise<never> {
    throw new QuoteProviderError(
      Quote3.UNSUPPORTED_MODE,
      "out of process, the quote helper decides how long its enclaves stay loaded",
      { nextStep: "leave the enclave load policy alone, or unset SGX_AESM_ADDR to quote in-process" },
    );
  }

  async close(): Promise<void> {}

  #service(): AesmClient {
    this.#client ??= this.#connect();
    return this.#client;
  }
}
