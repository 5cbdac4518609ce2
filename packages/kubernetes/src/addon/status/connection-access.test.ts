import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import type { CallBounds, HttpAnswer } from "../access/http-cluster-access.ts";
import { statusAccess } from "./connection-access.ts";

const BOUNDS = { timeoutMs: 3000, sizeLimit: 100 };

function answering(answer: HttpAnswer) {
  const asked: { path: string; bounds: CallBounds | undefined }[] = [];
  const access = statusAccess({
    async call(_method, path, _content, bounds) {
      asked.push({ path, bounds });
      return answer;
    },
  });
  return { access, asked };
}

test("an answer is what was decoded, and the call has the reading's bounds", async () => {
  const { access, asked } = answering({ status: 200, body: { items: [] } });
  assert.deepEqual(await access.read("/api/v1/pods?limit=1", BOUNDS), { items: [] });
  assert.deepEqual(asked, [{ path: "/api/v1/pods?limit=1", bounds: BOUNDS }]);
});

test("a refusal has its HTTP status and says what was asked, without the query", async () => {
  const { access } = answering({ status: 403, body: { message: "pods is forbidden" } });
  await assert.rejects(access.read("/api/v1/pods?continue=secret", BOUNDS), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 403);
    assert.equal(error.message, "GET /api/v1/pods: the API server answered 403: pods is forbidden");
    return true;
  });
});

test("what is no JSON is no answer", async () => {
  const { access } = answering({ status: 200, body: undefined });
  await assert.rejects(access.read("/x", BOUNDS), /GET \/x: the answer is no JSON/);
});
