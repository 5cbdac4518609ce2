import { restoreSqliteStore } from "@confcom/collateral/store/sqlite";
import type { Output } from "../../terminal/output.ts";
import { type StorePlace, withStore } from "./store-place.ts";

/** `confcom pccs backup --out FILE`: consistent, also of a service that runs. */
export async function backup(
  options: StorePlace & { readonly out: string; readonly json?: boolean },
  output: Output,
): Promise<void> {
  await withStore(options, { readOnly: true }, (store) => store.backup(options.out));
  if (options.json) output.json({ backup: options.out });
  else output.line(`backed up to ${options.out}`);
}

/** `confcom pccs restore FILE`: into a state directory that no service uses. */
export async function restore(
  file: string,
  options: { readonly state: string; readonly replace?: boolean; readonly json?: boolean },
  output: Output,
): Promise<void> {
  const { database, movedTo } = restoreSqliteStore(options.state, file, {
    replace: options.replace === true,
    report: (line) => output.note(line),
  });
  if (options.json) output.json({ restored: database, movedTo: movedTo ?? null });
  else {
    output.line(`restored ${database}`);
    if (movedTo !== undefined) output.line(`what was there is now ${movedTo}`);
  }
}
