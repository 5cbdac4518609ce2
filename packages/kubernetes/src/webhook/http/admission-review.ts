import { type Admission, type RefusalCode, WARNING_LIMIT } from "../admission/index.ts";

const API_VERSION = "admission.k8s.io/v1";
/** Characters of a warning that the API server passes on. */
const WARNING_CHARACTERS = 256;
const UID_CHARACTERS = 128;

/** A request that is none of the API server's about a pod: answered with 400 and these words. */
export class ReviewError extends Error {}

export interface ReviewRequest {
  readonly uid: string;
  /** Undefined where nothing is to be decided: another operation than CREATE, or a subresource. */
  readonly pod: { readonly object: unknown } | undefined;
}

/** Reads an AdmissionReview v1 about pods (spec: Kubernetes §8). Throws {@link ReviewError}. */
export function decodeReview(body: string): ReviewRequest {
  let review: unknown;
  try {
    review = JSON.parse(body);
  } catch {
    throw new ReviewError("the body is not JSON");
  }
  const { apiVersion, kind, request } = members(review, "the body");
  if (apiVersion !== API_VERSION || kind !== "AdmissionReview") {
    throw new ReviewError(`the body is no AdmissionReview of ${API_VERSION}: set admissionReviewVersions to ["v1"]`);
  }
  const asked = members(request, "request");
  const { uid } = asked;
  if (typeof uid !== "string" || uid === "" || uid.length > UID_CHARACTERS) {
    throw new ReviewError(`request.uid is no text of 1 to ${UID_CHARACTERS} characters`);
  }
  const of = members(asked.kind, "request.kind");
  if ((of.group ?? "") !== "" || of.version !== "v1") throw new ReviewError("request.kind is not of the API v1");
  const subresource = asked.subResource ?? "";
  if (asked.operation !== "CREATE" || subresource !== "") return { uid, pod: undefined };
  if (of.kind !== "Pod") throw new ReviewError('request.kind is no Pod: set the rule\'s resources to ["pods"]');
  return { uid, pod: { object: asked.object } };
}

function members(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ReviewError(`${what} is no JSON object`);
  }
  return value as Readonly<Record<string, unknown>>;
}

/** Refusals of rights are Forbidden, those of amounts Invalid. */
const STATUS: Readonly<Record<RefusalCode, { readonly code: number; readonly reason: string }>> = {
  EPC_UNIT: { code: 422, reason: "Invalid" },
  QUOTE_PROVIDER_CONTRADICTION: { code: 422, reason: "Invalid" },
  BOTH_QUOTE_MODES: { code: 403, reason: "Forbidden" },
  PROVISION_WITH_OPT_IN: { code: 403, reason: "Forbidden" },
  SIDECAR_AND_HELPER: { code: 403, reason: "Forbidden" },
};

/** The AdmissionReview v1 that answers `uid`, as JSON. */
export function encodeReview(uid: string, { patch, warnings, refusal }: Admission): string {
  const told = warnings.slice(0, WARNING_LIMIT).map(shortened);
  const changes = patch.length > 0 && refusal === undefined;
  const response = {
    uid,
    allowed: refusal === undefined,
    ...(refusal === undefined ? {} : { status: { ...STATUS[refusal.code], message: refusal.message } }),
    ...(told.length > 0 ? { warnings: told } : {}),
    ...(changes ? { patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(patch)).toString("base64") } : {}),
  };
  return JSON.stringify({ apiVersion: API_VERSION, kind: "AdmissionReview", response });
}

function shortened(warning: string): string {
  return warning.length <= WARNING_CHARACTERS ? warning : `${warning.slice(0, WARNING_CHARACTERS - 1)}…`;
}
