import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../../api/api-error.ts";
import { reference } from "../object-reference.ts";
import { CONFIG_MAPS } from "../resource-kinds.ts";
import { HttpClusterAccess } from "./http-cluster-access.ts";

const of = reference(CONFIG_MAPS, "x", "default");
const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x", namespace: "default" } };

test("what answers with 200 and is no API server, such as the login page of a proxy, is said by every verb", async () => {
  for (const body of [undefined, null, 7, "text", [], {}, { items: [null] }, { items: [7] }, { items: {} }]) {
    const access = new HttpClusterAccess({ call: async () => ({ status: 200, body }) });
    for (const [verb, call] of Object.entries({
      get: () => access.get(of),
      list: () => access.list(CONFIG_MAPS),
      apply: () => access.apply(object),
    })) {
      await assert.rejects(
        call,
        (error) =>
          error instanceof ApiError && error.code === "API_SERVER_UNREACHABLE" && /no API server/.test(error.message),
        `${verb}: ${JSON.stringify(body)}`,
      );
    }
  }
  const page = new HttpClusterAccess({ call: async () => ({ status: 200, body: undefined }) });
  await assert.rejects(page.version(), /no API server/);
  await assert.rejects(page.delete(of), /no API server/);
  await assert.rejects(page.mergePatch(of, {}), /no API server/);
});

test("a list without end is given up", async () => {
  let pages = 0;
  const access = new HttpClusterAccess({
    async call() {
      pages++;
      return { status: 200, body: { items: [], metadata: { continue: "more" } } };
    },
  });
  await assert.rejects(access.list(CONFIG_MAPS), /no API server/);
  assert.equal(pages, 1000);
});
