/** Where a value of the configuration came from. */
export type Origin =
  | { readonly kind: "flag"; readonly name: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "file"; readonly path: string; readonly key: string }
  | { readonly kind: "default" };

/** A value and where it came from. */
export interface Setting<T> {
  readonly value: T;
  readonly from: Origin;
}

export const DEFAULT: Origin = { kind: "default" };

export function setting<T>(value: T, from: Origin = DEFAULT): Setting<T> {
  return { value, from };
}

/** `--pccs-url`, `AZDCAP_CACHE`, `/etc/sgx_default_qcnl.conf: pccs_url`, `default`. */
export function originText(origin: Origin): string {
  switch (origin.kind) {
    case "flag":
    case "variable":
      return origin.name;
    case "file":
      return `${origin.path}: ${origin.key}`;
    case "default":
      return "default";
  }
}

/** The first of them that is there. */
export function firstOf<T>(candidates: readonly (Setting<T> | undefined)[], otherwise: T): Setting<T> {
  return candidates.find((candidate) => candidate !== undefined) ?? setting(otherwise);
}
