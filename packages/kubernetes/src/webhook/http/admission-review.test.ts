import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeReview, encodeReview, ReviewError } from "./admission-review.ts";

const request = {
  uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
  kind: { group: "", version: "v1", kind: "Pod" },
  resource: { group: "", version: "v1", resource: "pods" },
  operation: "CREATE",
  object: { kind: "Pod" },
};
const review = (changes: object = {}, top: object = {}): string =>
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: { ...request, ...changes },
    ...top,
  });

test("a new pod is read with the uid of its request", () => {
  assert.deepEqual(decodeReview(review()), { uid: request.uid, pod: { object: { kind: "Pod" } } });
});

test("another operation, and a part of a pod, is answered without a decision", () => {
  for (const other of [{ operation: "UPDATE" }, { operation: "DELETE" }, { subResource: "ephemeralcontainers" }]) {
    assert.deepEqual(decodeReview(review(other)), { uid: request.uid, pod: undefined });
  }
});

test("what is no review of a pod is refused with what is wrong", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /not JSON/],
    ["[]", /the body is no JSON object/],
    [review({}, { apiVersion: "admission.k8s.io/v1beta1" }), /no AdmissionReview of admission.k8s.io\/v1/],
    [review({}, { kind: "Pod" }), /no AdmissionReview/],
    [review({}, { request: null }), /request is no JSON object/],
    [review({ uid: "" }), /request.uid/],
    [review({ uid: 7 }), /request.uid/],
    [review({ uid: "x".repeat(129) }), /request.uid/],
    [review({ kind: "Pod" }), /request.kind is no JSON object/],
    [review({ kind: { group: "apps", version: "v1", kind: "Deployment" } }), /not of the API v1/],
    [review({ kind: { group: "", version: "v2", kind: "Pod" } }), /not of the API v1/],
    [review({ kind: { group: "", version: "v1", kind: "Service" } }), /no Pod/],
  ];
  for (const [body, message] of cases) {
    assert.throws(
      () => decodeReview(body),
      (error) => error instanceof ReviewError && message.test(error.message),
      body,
    );
  }
});

test("no body makes anything else happen", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.jsonValue().map((intruder) => review({ object: intruder })),
      ),
      (body) => {
        try {
          decodeReview(body);
        } catch (error) {
          assert.ok(error instanceof ReviewError);
        }
      },
    ),
  );
});

const response = (...given: Parameters<typeof encodeReview>) =>
  (JSON.parse(encodeReview(...given)) as { response: Record<string, unknown> }).response;

test("a change is said as a JSON Patch, no change without one", () => {
  const patch = [{ op: "add", path: "/metadata/annotations", value: {} }] as const;
  const { patch: encoded, ...rest } = response("u", { patch, warnings: [] });
  assert.deepEqual(rest, { uid: "u", allowed: true, patchType: "JSONPatch" });
  assert.deepEqual(JSON.parse(Buffer.from(encoded as string, "base64").toString("utf8")), patch);
  assert.deepEqual(response("u", { patch: [], warnings: [] }), { uid: "u", allowed: true });
});

test("a refusal says why with the status of its kind, and changes nothing", () => {
  const refused = (code: "EPC_UNIT" | "BOTH_QUOTE_MODES") =>
    response("u", { patch: [{ op: "remove", path: "/a" }], warnings: [], refusal: { code, message: "so it is" } });
  assert.deepEqual(refused("EPC_UNIT"), {
    uid: "u",
    allowed: false,
    status: { code: 422, reason: "Invalid", message: "so it is" },
  });
  assert.deepEqual(refused("BOTH_QUOTE_MODES").status, { code: 403, reason: "Forbidden", message: "so it is" });
});

test("warnings are as many and as long as the API server passes on", () => {
  const { warnings } = response("u", { patch: [], warnings: Array.from({ length: 99 }, () => "x".repeat(300)) });
  assert.equal((warnings as string[]).length, 16);
  assert.ok((warnings as string[]).every((warning) => warning.length === 256 && warning.endsWith("…")));
});
