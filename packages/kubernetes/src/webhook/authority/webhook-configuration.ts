import { type AuthorityCertificate, readBundle } from "./authority-certificate.ts";

/** The caBundles of one MutatingWebhookConfiguration. */
export interface WebhookBundles {
  /** Entry's name → what its caBundle trusts; undefined for a caBundle that is absent or of no use. */
  readonly entries: ReadonlyMap<string, readonly AuthorityCertificate[] | undefined>;
}

export const CONFIGURATIONS_PATH = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";

/** Who writes the caBundle, as the API server notes it beside each field. */
export const FIELD_MANAGER = "sgx-webhook";

/** Entries of a configuration that are looked at; ours has two. */
const ENTRY_LIMIT = 16;

/** Authorities in a caBundle that are looked at. */
const BUNDLE_LIMIT = 16;

/** What cannot be read counts as no entry, or as an entry without a caBundle. */
export function readWebhookBundles(body: unknown): WebhookBundles {
  const webhooks = (body as { webhooks?: unknown } | null | undefined)?.webhooks;
  const entries = new Map<string, readonly AuthorityCertificate[] | undefined>();
  for (const webhook of (Array.isArray(webhooks) ? webhooks : []).slice(0, ENTRY_LIMIT)) {
    const { name, clientConfig } = (webhook ?? {}) as { name?: unknown; clientConfig?: { caBundle?: unknown } | null };
    if (typeof name !== "string") continue;
    const bundle = clientConfig?.caBundle;
    const pem = typeof bundle === "string" ? Buffer.from(bundle, "base64").toString("utf8") : "";
    const authorities = readBundle(pem, BUNDLE_LIMIT);
    entries.set(name, authorities?.length === 0 ? undefined : authorities);
  }
  return { entries };
}

/** Whether every entry trusts this authority; false for no entries. */
export function allTrust({ entries }: WebhookBundles, fingerprint: string): boolean {
  const trusts = (bundle: readonly AuthorityCertificate[] | undefined) =>
    bundle?.some((one) => one.fingerprint === fingerprint) === true;
  return entries.size > 0 && [...entries.values()].every(trusts);
}

/** Authorities that any entry trusts, each once. */
export function trustedByAny({ entries }: WebhookBundles): readonly AuthorityCertificate[] {
  const all = [...entries.values()].flatMap((bundle) => bundle ?? []);
  return [...new Map(all.map((one) => [one.fingerprint, one])).values()];
}

/** Whether every entry trusts these and no others, in whatever order. */
export function trustExactly({ entries }: WebhookBundles, wanted: readonly AuthorityCertificate[]): boolean {
  const names = fingerprints(wanted);
  return [...entries.values()].every((bundle) => bundle !== undefined && fingerprints(bundle) === names);
}

/** Body of the server-side apply: the caBundle of every entry and nothing else of it. */
export function bundlesToApply(
  configuration: string,
  { entries }: WebhookBundles,
  wanted: readonly AuthorityCertificate[],
): object {
  const caBundle = Buffer.from(wanted.map(({ certificate }) => certificate).join(""), "utf8").toString("base64");
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "MutatingWebhookConfiguration",
    metadata: { name: configuration },
    webhooks: [...entries.keys()].map((name) => ({ name, clientConfig: { caBundle } })),
  };
}

function fingerprints(authorities: readonly AuthorityCertificate[]): string {
  return authorities
    .map(({ fingerprint }) => fingerprint)
    .sort()
    .join();
}
