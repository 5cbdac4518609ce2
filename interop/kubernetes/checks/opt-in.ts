import {
  AESM_VARIABLE,
  AZURE_EPC_RESOURCE,
  INJECTION_LABEL,
  INTEL_EPC_RESOURCE,
  PROVISION_LABEL,
  QUOTE_PROVIDER_ANNOTATION,
  QUOTE_RESOURCE,
} from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { describePod, type Pod } from "../observe/kubernetes-objects.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { SGX_NODE } from "../scene-names.ts";
import type { Seen } from "../workload/probe.ts";

const NAMESPACES = { slot: "opt-in-slot", mount: "opt-in-mount" } as const;
type Namespace = keyof typeof NAMESPACES;

/** A pod as its author wrote it: no volume, no slot, no device. */
interface Written {
  readonly namespace: Namespace;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly env?: readonly object[];
  readonly initContainers?: readonly object[];
  readonly volumes?: readonly object[];
}

/** EPC under the name that the cluster does not schedule. */
const EPC = { resources: { limits: { [INTEL_EPC_RESOURCE]: "7864321" } } };
const BY_ANNOTATION = { [QUOTE_PROVIDER_ANNOTATION]: "aesmd" };
const BY_VARIABLE = [{ name: AESM_VARIABLE, value: "1" }];

const contained = (container: object): object => ({
  securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  ...container,
});

/** Asks the AESM for its key and ends, with 0 where it got it. */
const asker = (scene: ClusterScene): object =>
  contained({ name: "first", image: scene.images.confcom, args: ["probe"], ...EPC });

/** An AESM of the pod's own: the others start when it answers. Its state is in a directory that it makes, and so owns. */
const aesmd = (scene: ClusterScene): object =>
  contained({
    name: "aesmd",
    image: scene.images.confcom,
    args: ["quote-helper", "--socket", "/var/run/aesmd/aesm.socket", "--state", "/state/aesmd", "--workers", "1"],
    restartPolicy: "Always",
    startupProbe: {
      exec: { command: ["confcom", "probe"] },
      periodSeconds: 1,
      timeoutSeconds: 5,
      failureThreshold: 60,
    },
    volumeMounts: [{ name: "state", mountPath: "/state" }],
    ...EPC,
  });

const withOwnAesm = (scene: ClusterScene): Written => ({
  namespace: "slot",
  annotations: BY_ANNOTATION,
  initContainers: [aesmd(scene), asker(scene)],
  volumes: [{ name: "state", emptyDir: {} }],
});

export const optIn: readonly Check<ClusterScene>[] = [
  {
    name: "a pod that writes an annotation or a variable, and EPC under the other name, reaches the helper from each container",
    deadline: 240_000,
    async run(scene) {
      await prepare(scene);
      const byAnnotation = { namespace: "slot", annotations: BY_ANNOTATION, initContainers: [asker(scene)] } as const;
      const slot = await whatItSees(scene, byAnnotation);
      expectEqual(slot.seen.env[AESM_VARIABLE], "1", `${AESM_VARIABLE} in the container with the slot`);
      const mount = await whatItSees(scene, { namespace: "mount", env: BY_VARIABLE });
      for (const { seen, pod } of [slot, mount]) {
        expectEqual(seen.aesm.connect, "ok", "connecting to the AESM socket");
        expectEqual(seen.aesm.create, "EROFS", "making a file beside the socket");
        expectEqual(seen.sgx["/dev/sgx_enclave"], "ok", "opening /dev/sgx_enclave");
        expectEqual(seen.sgx["/dev/sgx_provision"], "ENOENT", "opening /dev/sgx_provision");
        expectEqual(limitsOf(pod)[AZURE_EPC_RESOURCE], "8", "MiB for 7,864,321 bytes");
        expectEqual(limitsOf(pod)[INTEL_EPC_RESOURCE], undefined, INTEL_EPC_RESOURCE);
      }
      expectEqual(limitsOf(slot.pod)[QUOTE_RESOURCE], "1", QUOTE_RESOURCE);
      expectEqual(limitsOf(mount.pod)[QUOTE_RESOURCE], undefined, `${QUOTE_RESOURCE} beside the mount`);
      return `by slot after ${slot.ms} ms, by mount after ${mount.ms} ms; an init container asked the helper before`;
    },
  },
  {
    name: "a pod's own aesmd serves its containers, and they are given nothing of the node's helper",
    deadline: 240_000,
    async run(scene) {
      await prepare(scene);
      const { seen, pod, ms } = await whatItSees(scene, withOwnAesm(scene), 120_000);
      expectEqual(seen.aesm.connect, "ok", "connecting to the pod's own AESM");
      expectEqual(seen.sgx["/dev/sgx_provision"], "ENOENT", "opening /dev/sgx_provision in the application");
      const text = JSON.stringify(pod.spec);
      expect(!text.includes(QUOTE_RESOURCE) && !text.includes("hostPath"), "it has a slot or a directory of the node");
      return `the application connects after ${ms} ms, an init container asked before it`;
    },
  },
  {
    name: "what the webhook made of a pod it leaves alone when it sees it again, in the API server's spelling",
    deadline: 120_000,
    async run(scene) {
      await prepare(scene);
      const pods: readonly Written[] = [
        { namespace: "slot", annotations: BY_ANNOTATION, initContainers: [asker(scene)] },
        { namespace: "mount", annotations: BY_ANNOTATION, initContainers: [asker(scene)] },
        { namespace: "mount", env: BY_VARIABLE },
        withOwnAesm(scene),
      ];
      for (const [index, written] of pods.entries()) {
        const once = await created(scene, written, podOf(scene, written, `again-${index}`), true);
        const { name, annotations } = once.metadata;
        const again = { apiVersion: "v1", kind: "Pod", metadata: { name, annotations }, spec: once.spec };
        const twice = await created(scene, written, again, true);
        expectEqual(JSON.stringify(twice.spec), JSON.stringify(once.spec), `the spec of pod ${index}`);
        expectEqual(JSON.stringify(twice.metadata.annotations), JSON.stringify(annotations), `annotations of ${index}`);
      }
      return `${pods.length} pods`;
    },
  },
];

async function prepare(scene: ClusterScene): Promise<void> {
  await scene.withAddon();
  const namespace = (name: string, labels: object) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels },
  });
  const level = (name: string) => ({ "pod-security.kubernetes.io/enforce": name });
  await scene.apply([
    namespace(NAMESPACES.slot, { ...level("restricted"), [PROVISION_LABEL]: "allowed" }),
    // hostPath volumes are for no other level.
    namespace(NAMESPACES.mount, { ...level("privileged"), [INJECTION_LABEL]: "mount" }),
  ]);
  await until("the webhook answers in both namespaces", 60_000, async () => {
    for (const namespace of ["slot", "mount"] as const) {
      const written = { namespace, env: BY_VARIABLE };
      const pod = JSON.stringify((await created(scene, written, podOf(scene, written, "answers"), true)).spec);
      expect(pod.includes(namespace === "slot" ? QUOTE_RESOURCE : "hostPath"), `no ${namespace} was added`);
    }
  });
}

function podOf(
  scene: ClusterScene,
  { annotations = {}, env = [], initContainers = [], volumes = [] }: Written,
  name: string,
) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      dnsPolicy: "Default",
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 2,
      nodeSelector: { "kubernetes.io/hostname": SGX_NODE },
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 65532,
        runAsGroup: 65532,
        seccompProfile: { type: "RuntimeDefault" },
      },
      initContainers,
      containers: [contained({ name: "main", image: scene.images.probe, args: ["--hold"], env, ...EPC })],
      volumes,
    },
  };
}

async function created(scene: ClusterScene, { namespace }: Written, body: object, dryRun = false): Promise<Pod> {
  const path = `/api/v1/namespaces/${NAMESPACES[namespace]}/pods${dryRun ? "?dryRun=All" : ""}`;
  return scene.api.ask<Pod>("POST", path, { body });
}

/** Runs the pod, and deletes it when it has said what it sees. */
async function whatItSees(scene: ClusterScene, written: Written, limit = 60_000) {
  const namespace = NAMESPACES[written.namespace];
  const name = scene.fresh("opted-in");
  const pod = await created(scene, written, podOf(scene, written, name));
  const { value: seen, ms } = await until(`pod ${name} says what it sees`, limit, async () => {
    const now = await scene.api.pod(namespace, name);
    expect(now.status.phase === "Running", `${name} is ${describePod(now)}`);
    const line = (await scene.api.log(namespace, name, "main")).split("\n").find((text) => text.startsWith("{"));
    if (line === undefined) throw new Error("it has said nothing yet");
    return JSON.parse(line) as Seen;
  });
  await scene.api.deletePod(namespace, name, 0);
  return { seen, pod, ms };
}

const limitsOf = ({ spec }: Pod): Readonly<Record<string, string>> => ({ ...spec.containers[0]?.resources?.limits });
