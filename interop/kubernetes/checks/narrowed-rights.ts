import { AZURE_EPC_RESOURCE, PROVISION_RESOURCE } from "@confcom/kubernetes";
import { type Check, expect } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import { container, podOf } from "./pod-parts.ts";

const CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sgx-webhook";
const JSON_PATCH = "application/json-patch+json";

type JsonPatch = readonly { readonly op: string; readonly path: string; readonly value?: unknown }[];

/** What who holds the webhook's token would do with its configuration. */
const TAKING_OVER: Readonly<Record<string, JsonPatch>> = {
  "rules about everything": [
    {
      op: "replace",
      path: "/webhooks/0/rules",
      value: [{ apiGroups: ["*"], apiVersions: ["*"], operations: ["*"], resources: ["*/*"], scope: "*" }],
    },
  ],
  "an address of its own": [
    { op: "replace", path: "/webhooks/0/clientConfig", value: { url: "https://example.com/" } },
  ],
  "every namespace": [{ op: "replace", path: "/webhooks/0/namespaceSelector", value: {} }],
  "every pod": [{ op: "remove", path: "/webhooks/0/matchConditions" }],
  "no pod without it": [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Fail" }],
};

const CA_BUNDLE: JsonPatch = [{ op: "remove", path: "/webhooks/0/clientConfig/caBundle" }];

export const narrowedRights: readonly Check<ClusterScene>[] = [
  {
    name: "the webhook's token changes the caBundle of its configuration and nothing else",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      const attempt = (body: JsonPatch) =>
        scene.api.send("PATCH", `${CONFIGURATION}?dryRun=All`, {
          body,
          contentType: JSON_PATCH,
          headers: { "impersonate-user": `system:serviceaccount:${NAMESPACE}:sgx-webhook` },
        });
      await until("the policy is in force and there is a caBundle", 60_000, async () => {
        for (const [what, patch] of Object.entries(TAKING_OVER)) {
          const { status, body } = await attempt(patch);
          expect(
            status === 403 && body.includes("changes the caBundle and nothing else"),
            `${what}: ${status} ${body}`,
          );
        }
        const { status, body } = await attempt(CA_BUNDLE);
        expect(status === 200, `the caBundle: ${status} ${body}`);
      });
      return `${Object.keys(TAKING_OVER).length} other changes refused`;
    },
  },
  {
    name: "a resize gives a running pod neither the provisioning key nor EPC, and may change its memory",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      const pods = "/api/v1/namespaces/default/pods";
      // The API server's own refusal overlooks a container that has no limits yet.
      const parts = { containers: [container("bare"), container("app", { memory: "64Mi" })] };
      const pod = await scene.api.ask("POST", pods, { body: podOf("default", scene.images.probe, parts) });
      const path = `${pods}/${(pod as { metadata: { name: string } }).metadata.name}`;
      const resize = (index: number, limits: Record<string, string>) =>
        scene.api.send("PATCH", `${path}/resize?dryRun=All`, {
          body: [{ op: "add", path: `/spec/containers/${index}/resources/limits`, value: limits }],
          contentType: JSON_PATCH,
        });
      try {
        await until("the policy is in force", 60_000, async () => {
          for (const resource of [PROVISION_RESOURCE, AZURE_EPC_RESOURCE]) {
            const { status, body } = await resize(0, { [resource]: "1" });
            expect(status === 403 && body.includes("sgx-policies-resize"), `${resource}: ${status} ${body}`);
          }
        });
        const { status, body } = await resize(1, { memory: "96Mi" });
        expect(status === 200, `memory: ${status} ${body}`);
      } finally {
        await scene.api.ask("DELETE", `${path}?gracePeriodSeconds=0`);
      }
      return "refused by sgx-policies-resize";
    },
  },
];
