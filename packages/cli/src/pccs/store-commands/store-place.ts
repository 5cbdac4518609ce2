import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type CollateralStore, openStore } from "@confcom/collateral/store";
import { SYSTEM_CLOCK } from "../../system-clock.ts";
import { usage } from "../../usage-error.ts";

/** Where the service keeps its data, as every command that works on it takes it. */
export interface StorePlace {
  readonly state?: string;
  readonly database?: string;
}

/** Opens what the options name, and closes it whatever `work` does. `readOnly`: beside a service that runs. */
export async function withStore<T>(
  place: StorePlace,
  options: { readonly readOnly: boolean; readonly report?: (line: string) => void },
  work: (store: CollateralStore) => Promise<T>,
): Promise<T> {
  if ((place.state === undefined) === (place.database === undefined)) {
    throw usage("one of --state and --database says where the data are", "pccs");
  }
  const store = await openStore({
    stateDirectory: place.state ?? "",
    ...(place.database === undefined ? {} : { database: databaseUrl(place.database) }),
    owner: storeOwner(),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    ...options,
  });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

export function databaseUrl(value: string): string {
  if (/^postgres(ql)?:\/\//.test(value)) return value;
  try {
    return readFileSync(value, "utf8").trim();
  } catch (error) {
    throw usage(`--database is neither a postgres:// URL nor a file that can be read: ${String(error)}`, "pccs");
  }
}

/** This process among all that use a database. */
export function storeOwner(): string {
  return `${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`;
}
