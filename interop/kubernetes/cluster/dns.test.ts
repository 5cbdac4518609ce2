import assert from "node:assert/strict";
import { test } from "node:test";
import { corefile, DNS_USER, dnsObjects } from "./dns.ts";

interface Applied {
  readonly kind: string;
  readonly rules?: readonly { readonly verbs: readonly string[]; readonly resources: readonly string[] }[];
  readonly subjects?: readonly { readonly kind: string; readonly name: string }[];
  readonly spec?: { readonly clusterIP: string };
  readonly endpoints?: readonly { readonly addresses: readonly string[] }[];
}

const objects = dnsObjects() as readonly Applied[];
const of = (kind: string) => objects.find((object) => object.kind === kind);

test("nobody outside the cluster is asked, and the caches of a test are short", () => {
  assert.doesNotMatch(corefile(), /forward/);
  assert.match(corefile(), /kubernetes cluster\.local in-addr\.arpa \{/);
  assert.match(corefile(), /cache 5\n/);
});

test("CoreDNS may look and no more, and sees no Secret", () => {
  const rules = of("ClusterRole")?.rules ?? [];
  assert.deepEqual([...new Set(rules.flatMap(({ verbs }) => verbs))], ["list", "watch"]);
  assert.deepEqual(
    rules.flatMap(({ resources }) => resources),
    ["services", "namespaces", "endpointslices"],
  );
  assert.deepEqual(
    of("ClusterRoleBinding")?.subjects?.map(({ kind, name }) => `${kind} ${name}`),
    [`User ${DNS_USER}`],
  );
});

test("the Service's address leads to the control plane's machine", () => {
  assert.equal(of("Service")?.spec?.clusterIP, "10.96.0.10");
  assert.deepEqual(of("EndpointSlice")?.endpoints?.[0]?.addresses, ["10.10.0.2"]);
});
