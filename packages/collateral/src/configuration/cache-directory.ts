import { type Setting, setting } from "./setting.ts";

/**
 * Where Intel's provider keeps its files: below the first of these that is set, as it has it (spec: DCAP §13), but never /tmp, for the
 * reason below. Undefined where none is.
 */
export function qcnlDirectory(env: Readonly<Record<string, string | undefined>>): Setting<string> | undefined {
  for (const name of ["AZDCAP_CACHE", "XDG_CACHE_HOME", "HOME", "TMPDIR"]) {
    const base = env[name];
    if (base?.startsWith("/")) return setting(`${base.replace(/\/+$/, "")}/.dcap-qcnl`, { kind: "variable", name });
  }
  return undefined;
}

/**
 * Where answers are kept: `--cache`, then AZDCAP_CACHE, XDG_CACHE_HOME and HOME as the reference providers take them, each with a
 * directory of our own below, because our format is not theirs. Not TMPDIR or /tmp as they do in the end: whoever is
 * first there owns the name. Undefined: in memory only.
 */
export function cacheDirectory(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Setting<string | undefined> {
  if (flag !== undefined) return setting(flag === "none" ? undefined : flag, { kind: "flag", name: "--cache" });
  for (const [name, below] of [
    ["AZDCAP_CACHE", "confcom-collateral"],
    ["XDG_CACHE_HOME", "confcom/collateral"],
    ["HOME", ".cache/confcom/collateral"],
  ] as const) {
    const base = env[name];
    // The XDG specification: a path that is not absolute is ignored.
    if (base?.startsWith("/")) return setting(`${base.replace(/\/+$/, "")}/${below}`, { kind: "variable", name });
  }
  return setting(undefined);
}
