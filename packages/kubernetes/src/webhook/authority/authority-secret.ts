import { labelsOf, WEBHOOK_AUTHORITY_SECRET, WEBHOOK_NAME } from "../../manifests/object-names.ts";
import { readAuthority, readBundle } from "./authority-certificate.ts";
import { type AuthorityState, PREVIOUS_LIMIT } from "./authority-state.ts";

/** Keys of the Secret's data: PEM. */
const CURRENT = { certificate: "ca.crt", privateKey: "ca.key" };
const NEXT = { certificate: "next-ca.crt", privateKey: "next-ca.key" };
const PREVIOUS = "previous-ca.crt";
const OWN_KEYS = [...Object.values(CURRENT), ...Object.values(NEXT), PREVIOUS];

/** Annotation on the Secret, with any value: begin a rotation now. Taken away by the replica that begins it. */
export const ROTATE_ANNOTATION = "sgx.confcom.dev/rotate-authority";

/** The Secret as it was read. */
export type AuthoritySecret =
  /** Made by the manifests, not filled yet. */
  | { readonly kind: "empty"; readonly object: SecretObject }
  | { readonly kind: "held"; readonly object: SecretObject; readonly state: AuthorityState; readonly asked: boolean }
  /** `reason` quotes nothing of the content. */
  | { readonly kind: "malformed"; readonly reason: string };

export interface SecretObject {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly annotations: Readonly<Record<string, string>>;
    readonly rest: object;
  };
  readonly type: string;
  /** Base64, including what others keep there. */
  readonly data: Readonly<Record<string, string>>;
}

/** Characters of one value in base64: bounds what is decoded. */
const VALUE_LIMIT = 131_072;

/** Every content is answered: what cannot be used is `malformed`. */
export function readAuthoritySecret(body: unknown): AuthoritySecret {
  try {
    const object = secretObject(body);
    const value = (key: string) => decode(object.data[key], key);
    const [certificate, privateKey] = [value(CURRENT.certificate), value(CURRENT.privateKey)];
    const others = OWN_KEYS.slice(2).filter((key) => value(key) !== undefined);
    if (certificate === undefined && privateKey === undefined && others.length === 0) return { kind: "empty", object };
    const current = pair(CURRENT, certificate, privateKey);
    if (current === undefined) throw new Error(`it has ${others.join(", ")} but no ${CURRENT.certificate}`);
    const next = pair(NEXT, value(NEXT.certificate), value(NEXT.privateKey));
    const previous = readBundle(value(PREVIOUS) ?? "", PREVIOUS_LIMIT);
    if (previous === undefined) throw new Error(`${PREVIOUS} is no list of at most ${PREVIOUS_LIMIT} authorities`);
    const state = { current, ...(next === undefined ? {} : { next }), previous };
    return { kind: "held", object, state, asked: Object.hasOwn(object.metadata.annotations, ROTATE_ANNOTATION) };
  } catch (error) {
    return { kind: "malformed", reason: (error as Error).message };
  }
}

/** The Secret to create where there is none. */
export function newSecret(namespace: string, state: AuthorityState): object {
  const metadata = { name: WEBHOOK_AUTHORITY_SECRET, namespace, labels: labelsOf(WEBHOOK_NAME) };
  return { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data: encode(state) };
}

/**
 * The Secret to put in the place of the one that was read, and only of that one (resourceVersion). What others keep in
 * it stays. `answered`: the request for a rotation is being met.
 */
export function changedSecret(object: SecretObject, state: AuthorityState, answered: boolean): object {
  const { resourceVersion, rest } = object.metadata;
  const others = Object.entries(object.data).filter(([key]) => !OWN_KEYS.includes(key));
  const kept = Object.entries(object.metadata.annotations).filter(([name]) => !answered || name !== ROTATE_ANNOTATION);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...rest, resourceVersion, annotations: Object.fromEntries(kept) },
    type: object.type,
    data: { ...Object.fromEntries(others), ...encode(state) },
  };
}

function encode({ current, next, previous }: AuthorityState): Record<string, string> {
  const text: Record<string, string> = {
    [CURRENT.certificate]: current.certificate,
    [CURRENT.privateKey]: current.privateKey,
  };
  if (next !== undefined) {
    text[NEXT.certificate] = next.certificate;
    text[NEXT.privateKey] = next.privateKey;
  }
  if (previous.length > 0) text[PREVIOUS] = previous.map(({ certificate }) => certificate).join("");
  return Object.fromEntries(
    Object.entries(text).map(([key, value]) => [key, Buffer.from(value, "utf8").toString("base64")]),
  );
}

function pair(keys: typeof CURRENT, certificate: string | undefined, privateKey: string | undefined) {
  if (certificate === undefined && privateKey === undefined) return undefined;
  if (certificate === undefined) throw new Error(`${keys.certificate} is missing`);
  if (privateKey === undefined) throw new Error(`${keys.privateKey} is missing`);
  try {
    return readAuthority(certificate, privateKey);
  } catch (error) {
    throw new Error(`${keys.certificate} ${(error as Error).message}`);
  }
}

/** An empty value is as good as none: that is how a template without content ends up. */
function decode(value: string | undefined, key: string): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (value.length > VALUE_LIMIT) throw new Error(`${key} is too large`);
  return Buffer.from(value, "base64").toString("utf8");
}

function secretObject(body: unknown): SecretObject {
  const secret = record(body);
  const { managedFields: _managedFields, annotations, resourceVersion, ...rest } = record(secret.metadata);
  if (typeof resourceVersion !== "string") throw new Error("it has no resourceVersion");
  return {
    metadata: { resourceVersion, annotations: strings(annotations), rest },
    type: typeof secret.type === "string" ? secret.type : "Opaque",
    data: strings(secret.data),
  };
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it is no Secret");
  return value as Readonly<Record<string, unknown>>;
}

function strings(value: unknown): Readonly<Record<string, string>> {
  const entries = Object.entries(record(value ?? {})).filter(([, text]) => typeof text === "string");
  return Object.fromEntries(entries) as Readonly<Record<string, string>>;
}
