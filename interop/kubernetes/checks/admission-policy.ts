import { readFile } from "node:fs/promises";
import {
  AZURE_EPC_RESOURCE,
  CAPABLE_LABEL,
  DRIVER_LABEL,
  EVENT_COMPONENT,
  INTEL_EPC_RESOURCE,
  PLUGIN_NAME,
} from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import type { ApiClient } from "../observe/api-client.ts";
import { containerProcess } from "../observe/container-process.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE, SGX_NODE } from "../scene-names.ts";

const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

interface Attempt {
  readonly what: string;
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
  /** HTTP status. */
  readonly expected: 200 | 201 | 403;
  /** Part of the refusal. */
  readonly because?: RegExp;
}

const statusOf = (node: string): string => `/api/v1/nodes/${node}/status`;
const own = statusOf(SGX_NODE);
const capacity = (values: Record<string, string | null>) => ({ status: { capacity: values } });

const ATTEMPTS: readonly Attempt[] = [
  { what: "its own counter", path: own, body: capacity({ [INTEL_EPC_RESOURCE]: "1048576" }), expected: 200 },
  { what: "taking its counter away", path: own, body: capacity({ [INTEL_EPC_RESOURCE]: null }), expected: 200 },
  { what: "its own label", path: own, body: { metadata: { labels: { [DRIVER_LABEL]: "another" } } }, expected: 200 },
  {
    what: "another node's counter",
    path: statusOf(PLAIN_NODE),
    body: capacity({ [AZURE_EPC_RESOURCE]: "1024" }),
    expected: 403,
    because: /node to which its own token is bound/,
  },
  {
    what: "another node's label",
    path: statusOf(PLAIN_NODE),
    body: { metadata: { labels: { [CAPABLE_LABEL]: "true" } } },
    expected: 403,
    because: /node to which its own token is bound/,
  },
  {
    what: "capacity of cpu",
    path: own,
    body: capacity({ cpu: "1000" }),
    expected: 403,
    because: /only the capacity of/,
  },
  {
    what: "capacity of somebody else's resource",
    path: own,
    body: capacity({ "example.com/gpu": "8" }),
    expected: 403,
    because: /only the capacity of/,
  },
  {
    what: "allocatable",
    path: own,
    body: { status: { allocatable: { [AZURE_EPC_RESOURCE]: "1" } } },
    expected: 403,
    because: /only the capacity of a node's status/,
  },
  {
    what: "another label",
    path: own,
    body: { metadata: { labels: { "node-role.kubernetes.io/control-plane": "" } } },
    expected: 403,
    because: /only the labels/,
  },
  {
    what: "another annotation",
    path: own,
    body: { metadata: { annotations: { "example.com/note": "x" } } },
    expected: 403,
    because: /only the annotation/,
  },
  {
    what: "the node itself",
    path: `/api/v1/nodes/${SGX_NODE}`,
    body: { spec: { unschedulable: true } },
    expected: 403,
  },
  { what: "reading Secrets", method: "GET", path: "/api/v1/secrets", expected: 403 },
  { what: "reading pods", method: "GET", path: "/api/v1/pods", expected: 403 },
  {
    what: "an event about its node",
    method: "POST",
    path: "/api/v1/namespaces/default/events",
    body: nodeEvent(SGX_NODE, EVENT_COMPONENT),
    expected: 201,
  },
  {
    what: "an event about another node",
    method: "POST",
    path: "/api/v1/namespaces/default/events",
    body: nodeEvent(PLAIN_NODE, EVENT_COMPONENT),
    expected: 403,
    because: /events about the node to which its own token is bound/,
  },
  {
    what: "an event in the kubelet's name",
    method: "POST",
    path: "/api/v1/namespaces/default/events",
    body: nodeEvent(SGX_NODE, "kubelet"),
    expected: 403,
    because: /only events of/,
  },
];

export const admissionPolicy: readonly Check<ClusterScene>[] = [
  {
    name: "node-status's token: its own node and our keys, and refused everything else",
    deadline: 90_000,
    async run(scene) {
      await scene.installed();
      const pod = await scene.podOf(PLUGIN_NAME, SGX_NODE);
      const { pid } = containerProcess(pod, "node-status");
      const projected = await readFile(`/proc/${pid}/root${TOKEN}`, "utf8");
      const minted = await scene.cluster.kubectl(["create", "token", PLUGIN_NAME, "-n", NAMESPACE]);
      const refused = await as(scene, projected, async (api) => {
        const answers: string[] = [];
        for (const attempt of ATTEMPTS) {
          const body = await tryIt(api, attempt);
          if (attempt.expected === 403) answers.push(`${attempt.what}: ${body.slice(0, 160)}`);
        }
        return answers;
      });
      await as(scene, minted.stdout.trim(), (api) =>
        tryIt(api, {
          what: "a token of the same account that is bound to no node",
          path: own,
          body: capacity({ [INTEL_EPC_RESOURCE]: "1048576" }),
          expected: 403,
          because: /node to which its own token is bound/,
        }),
      );
      await until("node-status puts its own label right again", 30_000, async () => {
        const { metadata, status } = await scene.api.node(SGX_NODE);
        expect(metadata.labels?.[DRIVER_LABEL] !== "another", "the label is still the wrong one");
        expectEqual(status.capacity[INTEL_EPC_RESOURCE], undefined, INTEL_EPC_RESOURCE);
      });
      scene.figures["refused to node-status"] = refused;
      return `${ATTEMPTS.length - refused.length} writes of its own allowed, ${refused.length} attempts of others refused, and a token bound to no node refused; its own label was put right`;
    },
  },
];

async function tryIt(
  api: ApiClient,
  { what, method = "PATCH", path, body, expected, because }: Attempt,
): Promise<string> {
  const contentType = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const answer = await api.send(method, path, { body, contentType });
  expect(
    answer.status === expected,
    `${what}: expected ${expected}, got ${answer.status}: ${answer.body.slice(0, 300)}`,
  );
  const message = expected === 403 ? (JSON.parse(answer.body) as { message: string }).message : "";
  if (because !== undefined) expect(because.test(message), `${what}: refused for another reason: ${message}`);
  return message;
}

/** The API as the holder of a token sees it. */
async function as<T>(scene: ClusterScene, token: string, use: (api: ApiClient) => Promise<T>): Promise<T> {
  const served = await scene.serveApiAs(token);
  try {
    return await use(served.api);
  } finally {
    served.stop();
  }
}

function nodeEvent(node: string, component: string): object {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { generateName: "check-", namespace: "default" },
    involvedObject: { kind: "Node", name: node, uid: node },
    source: { component, host: node },
    reportingComponent: component,
    reportingInstance: node,
    reason: "Checked",
    message: "written by a check with node-status's token",
    type: "Normal",
  };
}
