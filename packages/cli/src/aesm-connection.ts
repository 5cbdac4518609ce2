import { AesmClient, type InitializedQuote } from "@confcom/aesm";

/** One init_quote_ex over a quote helper's socket: whom a report must be for. */
export function initQuoteOver(socketPath: string): Promise<InitializedQuote> {
  return new AesmClient({ socketPath }).initQuote();
}
