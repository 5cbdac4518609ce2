import { KubernetesError } from "../../errors.ts";
import type { ManifestValues } from "../../manifests/manifest-values.ts";
import { manifestValues } from "../../manifests/values.ts";

type GivenValues = Readonly<Record<string, unknown>>;

export interface InstallationChoice {
  /** Values as they were given, without defaults. */
  readonly given: GivenValues;
  readonly namespace: string;
  /** Quote helpers and, unless the values leave it out, the PCCS that makes them one root. */
  readonly quoteHelper: boolean;
  /** Host and path from which images are pulled instead; null: from the host in their name. */
  readonly registry: string | null;
  /** Of confcom, in the image's default name. */
  readonly version: string;
}

/** No scheme: it is the beginning of an image's name. */
const REGISTRY = /^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?(\/[a-z0-9]([a-z0-9._-]*[a-z0-9])?)*\/?$/;

/**
 * The values of an installation. As with `az aks` the quote helper depends on nothing but its flag. Throws KubernetesError
 * `MANIFEST_VALUE`.
 */
export function installationValues(choice: InstallationChoice): ManifestValues {
  const { given, namespace, quoteHelper, registry, version } = choice;
  const values = manifestValues({
    ...given,
    namespace,
    quoteHelper: { ...section(given, "quoteHelper"), enabled: quoteHelper },
    pccs: { ...section(given, "pccs"), ...(quoteHelper ? {} : { enabled: false }) },
  });
  if (registry === null) return values;
  if (!REGISTRY.test(registry)) {
    const message = `the registry "${registry}" is not a host and a path, such as mirror.example/confidential`;
    throw new KubernetesError("MANIFEST_VALUE", message);
  }
  return { ...values, image: mirrored(values.image ?? `localhost/confcom:${version}`, registry) };
}

/** The same image at another registry: what came before the first slash is replaced if it is a host. */
function mirrored(image: string, registry: string): string {
  const slash = image.indexOf("/");
  const first = image.slice(0, Math.max(slash, 0));
  const path = first === "localhost" || /[.:]/.test(first) ? image.slice(slash + 1) : image;
  return `${registry.replace(/\/+$/, "")}/${path}`;
}

/** Values over values: sections are merged, everything else is replaced. */
export function mergedValues(under: GivenValues, over: GivenValues): GivenValues {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const present = merged.get(key);
    merged.set(key, isSection(present) && isSection(value) ? mergedValues(present, value) : value);
  }
  // Own fields whatever their name, so that one like __proto__ is refused rather than lost.
  return Object.fromEntries(merged);
}

function section(given: GivenValues, name: string): GivenValues {
  const value = given[name];
  return isSection(value) ? value : {};
}

function isSection(value: unknown): value is GivenValues {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
