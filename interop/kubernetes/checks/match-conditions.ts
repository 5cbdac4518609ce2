import {
  AESM_VARIABLE,
  INJECTION_LABEL,
  OWN_QUOTE_PROVIDER_ANNOTATION,
  OWN_RESOURCES,
  QUOTE_PROVIDER_ANNOTATION,
} from "@confcom/kubernetes";
import { type Check, expect } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE } from "../scene-names.ts";
import { container, type PodParts, podOf } from "./pod-parts.ts";

const WEBHOOK = "sgx-webhook";
const STATUS_PORT = 9104;

const NAMESPACES = { plain: "calls-plain", mount: "calls-mount", disabled: "calls-disabled", own: NAMESPACE } as const;

interface Case {
  readonly what: string;
  readonly namespace: keyof typeof NAMESPACES;
  readonly pod: PodParts;
  /** Undefined: nobody is called. */
  readonly called?: "/mutate/slot" | "/mutate/mount";
}

const OPT_IN = [{ name: AESM_VARIABLE, value: "1" }];
const optedIn: PodParts = { containers: [container("app", {}, OPT_IN)] };

const CASES: readonly Case[] = [
  ...OWN_RESOURCES.map(
    (resource): Case => ({
      what: resource,
      namespace: "plain",
      pod: { containers: [container("other"), container("app", { [resource]: "1" })] },
      called: "/mutate/slot",
    }),
  ),
  ...[QUOTE_PROVIDER_ANNOTATION, OWN_QUOTE_PROVIDER_ANNOTATION].map(
    (annotation): Case => ({
      what: annotation,
      namespace: "plain",
      pod: { containers: [container("app")], annotations: { [annotation]: "aesmd" } },
      called: "/mutate/slot",
    }),
  ),
  { what: "the variable", namespace: "plain", pod: optedIn, called: "/mutate/slot" },
  {
    what: "the variable in an init container",
    namespace: "plain",
    pod: { containers: [container("app")], initContainers: [container("first", {}, OPT_IN)] },
    called: "/mutate/slot",
  },
  { what: "a namespace of mounts", namespace: "mount", pod: optedIn, called: "/mutate/mount" },
  { what: "nothing of ours", namespace: "plain", pod: { containers: [container("app")] } },
  {
    what: "what others call their resources, annotations and variables",
    namespace: "plain",
    pod: {
      containers: [container("app", { cpu: "1", "example.com/gpu": "1" }, [{ name: "SGX", value: AESM_VARIABLE }])],
      annotations: { "example.com/quote-provider": QUOTE_PROVIDER_ANNOTATION },
    },
  },
  { what: "a namespace that wants nothing", namespace: "disabled", pod: optedIn },
  { what: "kube-system", namespace: "own", pod: optedIn },
];

export const matchConditions: readonly Check<ClusterScene>[] = [
  {
    name: "the API server calls the webhook for pods with anything of SGX, and for no others",
    deadline: 300_000,
    async run(scene) {
      await scene.withAddon();
      await scene.apply([
        namespace("plain"),
        namespace("mount", { [INJECTION_LABEL]: "mount" }),
        namespace("disabled", { [INJECTION_LABEL]: "disabled" }),
      ]);
      await until("the webhook is called", 60_000, async () => {
        const calls = await callsFor(scene, "mount", optedIn);
        expect(calls.get("/mutate/mount") !== undefined, "not yet");
      });
      for (const { what, namespace, pod, called } of CASES) {
        const calls = await callsFor(scene, namespace, pod);
        const paths = [...calls.keys()].join(" and ");
        expect(paths === (called ?? ""), `${what}: expected calls of ${called ?? "nobody"}, got ${paths || "none"}`);
      }
      const called = CASES.filter((one) => one.called !== undefined).length;
      return `${called} kinds of pods it was called for, ${CASES.length - called} it was not`;
    },
  },
];

/** Which paths the replicas were asked at more often after the pod's creation than before. Refusals count too. */
async function callsFor(
  scene: ClusterScene,
  namespace: keyof typeof NAMESPACES,
  parts: PodParts,
): Promise<ReadonlyMap<string, number>> {
  const before = await calls(scene);
  const pod = podOf(NAMESPACES[namespace], scene.images.probe, parts);
  await scene.api.send("POST", `/api/v1/namespaces/${NAMESPACES[namespace]}/pods?dryRun=All`, { body: pod });
  const after = await calls(scene);
  const more = [...after].map(([path, count]) => [path, count - (before.get(path) ?? 0)] as const);
  return new Map(more.filter(([, count]) => count > 0));
}

async function calls(scene: ClusterScene): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for (const { metadata } of await scene.api.pods(`app=${WEBHOOK}`, NAMESPACE)) {
    const { admissions } = await scene.api.ofPod<WebhookStatus>(NAMESPACE, metadata.name, STATUS_PORT, "/status");
    for (const { path, count } of admissions.results) sums.set(path, (sums.get(path) ?? 0) + count);
  }
  return sums;
}

interface WebhookStatus {
  readonly admissions: { readonly results: readonly { readonly path: string; readonly count: number }[] };
}

const namespace = (name: keyof typeof NAMESPACES, labels: Readonly<Record<string, string>> = {}) => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: NAMESPACES[name], labels },
});
