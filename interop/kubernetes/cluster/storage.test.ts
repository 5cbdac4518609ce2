import assert from "node:assert/strict";
import { test } from "node:test";
import type { Cluster } from "./cluster.ts";
import { provideStorage, STORAGE_CLASS } from "./storage.ts";

interface Volume {
  readonly kind: string;
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: { readonly local: { readonly path: string }; readonly storageClassName: string };
}

test("every volume of the default class is a directory that is there before it is offered", async () => {
  const made: string[] = [];
  let applied: Volume[] = [];
  const cluster = {
    node: () => ({ exec: async (argv: readonly string[]) => void made.push(...argv.slice(2)) }),
    apply: async (yaml: string) => {
      assert.notEqual(made.length, 0);
      applied = yaml.split("\n---\n").map((text) => JSON.parse(text) as Volume);
    },
  } as unknown as Cluster;
  await provideStorage(cluster, "plain-1");
  const [storageClass, ...volumes] = applied;
  assert.equal(storageClass?.metadata.annotations?.["storageclass.kubernetes.io/is-default-class"], "true");
  assert.deepEqual(
    volumes.map(({ spec }) => spec.local.path),
    made,
  );
  assert.ok(volumes.every(({ spec }) => spec.storageClassName === STORAGE_CLASS));
});
