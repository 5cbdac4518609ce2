import type { CollateralStore } from "../store.ts";

/** Gives a test an empty store and closes it after. */
export type WithStore = (fact: (store: CollateralStore) => void | Promise<void>) => Promise<void>;

export function withStoreFrom(open: () => Promise<CollateralStore>): WithStore {
  return async (fact) => {
    const store = await open();
    try {
      await fact(store);
    } finally {
      await store.close();
    }
  };
}
