import type { KubernetesObject } from "./kubernetes-object.ts";
import type { ManifestValues } from "./manifest-values.ts";
import type { Condition, Symbolic, Template } from "./template/expression.ts";
import { symbolicValues } from "./template/language.ts";

/** What of an installation can be printed by itself. */
export const MANIFEST_PARTS = ["plugin", "quote-helper", "webhook", "policies", "pccs"] as const;
export type ManifestPart = (typeof MANIFEST_PARTS)[number];

/** One object of an installation: the one description from which the command and the Helm chart come. */
export interface ObjectTemplate {
  /** Whether a part is there at all is decided once for all of its objects. */
  readonly part: ManifestPart;
  /** Within a part that is there; default: always. */
  readonly when?: Condition;
  readonly object: Template<KubernetesObject>;
}

/** Every value of an installation by its name. */
export const values: Symbolic<ManifestValues> = symbolicValues<ManifestValues>();
