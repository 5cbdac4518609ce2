import type { CollateralStore } from "../store.ts";
import { documentFacts } from "./document-facts.ts";
import { leaseFacts } from "./lease-facts.ts";
import { platformFacts } from "./platform-facts.ts";
import { registrationFacts } from "./registration-facts.ts";
import { withStoreFrom } from "./with-store.ts";
import { failedWriteFacts, writeFacts } from "./write-facts.ts";

/**
 * Registers what is true of every CollateralStore as node:test tests. `open` gives an empty store each time; it is closed
 * after its test, and whatever holds it is the caller's to remove. `schema: false`: the store takes any row (one in memory),
 * so that what happens to a batch that fails cannot be tried.
 */
export function storeFacts(
  name: string,
  open: () => Promise<CollateralStore>,
  { schema = true }: { readonly schema?: boolean } = {},
): void {
  const withStore = withStoreFrom(open);
  documentFacts(name, withStore);
  platformFacts(name, withStore);
  registrationFacts(name, withStore);
  writeFacts(name, withStore);
  if (schema) failedWriteFacts(name, withStore);
  leaseFacts(name, withStore);
}
