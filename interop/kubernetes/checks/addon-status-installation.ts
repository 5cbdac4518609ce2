import { AESM_DIRECTORY, AZURE_EPC_RESOURCE, INTEL_EPC_RESOURCE, QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { expectEqual } from "../../check.ts";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, SECOND_SGX_NODE, SGX_NODE } from "../scene-names.ts";
import { podManifest } from "../workload/pod-manifest.ts";
import { namespaceFor, pod } from "./addon-status-applications.ts";
import type { Complaint } from "./addon-status-complaint.ts";

const WEBHOOK_NAME = "sgx-webhook";
const PCCS_NAME = "sgx-pccs";

const deployment = (name: string) => `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}`;
const HELPER = `/apis/apps/v1/namespaces/${NAMESPACE}/daemonsets/${QUOTE_HELPER_NAME}`;
const WEBHOOK_CONFIGURATION = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${WEBHOOK_NAME}`;

/** What goes wrong with the add-on's own parts. */
export const installationComplaints: readonly Complaint[] = [
  {
    name: "a pod opts in on a node without helper",
    codes: ["HELPER_NOT_ON_NODE"],
    async make(scene) {
      const select = (hostname: string | null) =>
        scene.api.patch(HELPER, {
          spec: { template: { spec: { nodeSelector: { "kubernetes.io/hostname": hostname } } } },
        });
      const remove = await pod(scene, optedIn);
      await select(SECOND_SGX_NODE);
      return () => Promise.all([select(null), remove()]);
    },
  },
  {
    name: "the helper is switched off although a pod opts in",
    codes: ["HELPER_OFF"],
    async make(scene) {
      const remove = await pod(scene, optedIn);
      await scene.api.delete(HELPER);
      // The add-on's own command makes it again: an object of another manager would stand in its way later.
      const update = ["addon", "update", "--addon", "confcom", "--enable-sgxquotehelper", "--reset-values"];
      return async () => {
        const { status, stderr } = await scene.confcom([...update, "--values", scene.valuesFile()]);
        await remove();
        expectEqual(status, 0, `exit status of addon update: ${stderr.slice(-500)}`);
      };
    },
  },
  {
    name: "the webhook is scaled to 0 and pods go past it",
    codes: ["EPC_NAME", "OPT_IN_WITHOUT_SOCKET", "WEBHOOK_DOWN"],
    async make(scene) {
      await scale(scene, WEBHOOK_NAME, 0);
      await until("nobody is behind the webhook's Service", 30_000, async () => {
        expectEqual((await scene.api.pods(`app=${WEBHOOK_NAME}`, NAMESPACE)).length, 0, "its pods");
      });
      const removals = await Promise.all([
        pod(scene, { limits: { [INTEL_EPC_RESOURCE]: "10Mi" } }),
        pod(scene, { node: SGX_NODE, limits: { [AZURE_EPC_RESOURCE]: 8 }, env: { SGX_AESM_ADDR: "1" } }),
      ]);
      return () => Promise.all([scale(scene, WEBHOOK_NAME, 2), ...removals.map((remove) => remove())]);
    },
  },
  {
    name: "the webhook's caBundle is taken away while it is down",
    codes: ["WEBHOOK_CA_MISSING", "WEBHOOK_DOWN"],
    async make(scene) {
      await scale(scene, WEBHOOK_NAME, 0);
      await until("nobody writes it again", 30_000, async () => {
        expectEqual((await scene.api.pods(`app=${WEBHOOK_NAME}`, NAMESPACE)).length, 0, "the webhook's pods");
      });
      const { webhooks } = await scene.api.get<{ webhooks: readonly object[] }>(WEBHOOK_CONFIGURATION);
      const removals = webhooks.map((_, index) => ({ op: "remove", path: `/webhooks/${index}/clientConfig/caBundle` }));
      await scene.api.patch(WEBHOOK_CONFIGURATION, removals, "application/json-patch+json");
      return () => scale(scene, WEBHOOK_NAME, 2);
    },
  },
  {
    name: "the cluster's PCCS is away",
    codes: ["PCCS_DOWN"],
    async make(scene) {
      await scale(scene, PCCS_NAME, 0);
      return () => scale(scene, PCCS_NAME, 1);
    },
  },
  {
    name: "the image of an update cannot be pulled",
    codes: ["IMAGE_PULL"],
    async make(scene) {
      const image = (image: string) =>
        scene.api.patch(deployment(WEBHOOK_NAME), {
          spec: { template: { spec: { containers: [{ name: WEBHOOK_NAME, image }] } } },
        });
      await image("localhost/confcom:no-such-version");
      return () => image(scene.images.confcom);
    },
  },
  {
    name: "another AESM service serves in the same directory",
    codes: ["TWO_AESMS_ON_NODE"],
    async make(scene) {
      const [namespace, remove] = await namespaceFor(scene);
      const volumes = [{ name: "aesmd", hostPath: { path: AESM_DIRECTORY } }];
      const mounts = [{ name: "aesmd", mountPath: AESM_DIRECTORY }];
      const request = {
        name: "aesmd",
        namespace,
        node: SGX_NODE,
        image: scene.images.probe,
        args: ["--hold"],
        graceSeconds: 0,
        volumes,
        mounts,
      };
      const manifest = podManifest(request) as { spec: { containers: { name: string }[] } };
      for (const container of manifest.spec.containers) container.name = "aesmd";
      await scene.api.create(manifest);
      return remove;
    },
  },
];

const optedIn = {
  node: SGX_NODE,
  limits: { [AZURE_EPC_RESOURCE]: 8 },
  env: { SGX_AESM_ADDR: "1" },
  volumes: [{ name: "aesmd", hostPath: { path: AESM_DIRECTORY } }],
  mounts: [{ name: "aesmd", mountPath: AESM_DIRECTORY, readOnly: true }],
};

function scale(scene: ClusterScene, name: string, replicas: number): Promise<unknown> {
  return scene.api.patch(deployment(name), { spec: { replicas } });
}
