import {
  AESM_DIRECTORY,
  AZURE_EPC_RESOURCE,
  INJECTION_LABEL,
  INTEL_EPC_RESOURCE,
  PROVISION_RESOURCE,
  QUOTE_RESOURCE,
} from "@confcom/kubernetes";
import { until } from "../observe/until.ts";
import type { ClusterScene } from "../scene.ts";
import { EPC_MIB, SGX_NODE } from "../scene-names.ts";
import { type PodRequest, podManifest } from "../workload/pod-manifest.ts";
import type { Complaint } from "./addon-status-complaint.ts";

type Given = Partial<PodRequest>;

/** What applications do wrong. */
export const applicationComplaints: readonly Complaint[] = [
  {
    name: "the socket's file is mounted instead of its directory",
    codes: ["SOCKET_FILE_MOUNTED"],
    make: (scene) =>
      pod(
        scene,
        mounting(`${AESM_DIRECTORY}/aesm.socket`, {
          hostPath: { path: `${AESM_DIRECTORY}/aesm.socket`, type: "Socket" },
        }),
      ),
  },
  {
    name: "the application's AESM directory is its own and empty",
    codes: ["AESM_DIRECTORY_EMPTY"],
    make: (scene) => pod(scene, mounting(AESM_DIRECTORY, { emptyDir: {} })),
  },
  {
    name: "EPC is asked for under the name that the nodes do not have, where the webhook is switched off",
    codes: ["EPC_NAME"],
    make: (scene) => pod(scene, { limits: { [INTEL_EPC_RESOURCE]: "10Mi" } }, { [INJECTION_LABEL]: "disabled" }),
  },
  {
    name: "a pod asks for more EPC than a node has",
    codes: ["EPC_LARGER_THAN_NODES"],
    make: (scene) => pod(scene, { limits: { [AZURE_EPC_RESOURCE]: EPC_MIB + 1 } }),
  },
  {
    name: '"10Mi" of the resource that is counted in MiB',
    codes: ["EPC_SUFFIX"],
    make: (scene) => job(scene, { [AZURE_EPC_RESOURCE]: "10Mi" }),
  },
  {
    name: "the provisioning key is asked for where it is not allowed",
    codes: ["PROVISION_NAMESPACE"],
    make: (scene) => job(scene, { [AZURE_EPC_RESOURCE]: 8, [PROVISION_RESOURCE]: 1 }),
  },
  {
    name: "one container asks for both ways to quote",
    codes: ["BOTH_MODES"],
    make: (scene) =>
      job(scene, { [PROVISION_RESOURCE]: 1, [QUOTE_RESOURCE]: 1 }, { "sgx.confcom.dev/provision": "allowed" }),
  },
  {
    name: "a ResourceQuota on the name that the webhook translates away",
    codes: ["QUOTA_WITHOUT_EFFECT"],
    async make(scene) {
      const [namespace, remove] = await namespaceFor(scene);
      const hard = { [`requests.${INTEL_EPC_RESOURCE}`]: "64Mi" };
      await scene.apply([
        { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "epc", namespace }, spec: { hard } },
      ]);
      return remove;
    },
  },
  {
    name: "a relying party mounts the root in a namespace that has none",
    codes: ["ROOT_NAMESPACE"],
    make: (scene) =>
      pod(scene, {
        volumes: [{ name: "root", configMap: { name: "sgx-quote-root" } }],
        mounts: [{ name: "root", mountPath: "/root-ca" }],
      }),
  },
];

function mounting(mountPath: string, source: object): Given {
  return {
    node: SGX_NODE,
    limits: { [AZURE_EPC_RESOURCE]: 8 },
    env: { SGX_AESM_ADDR: "1" },
    volumes: [{ name: "aesmd", ...source }],
    mounts: [{ name: "aesmd", mountPath }],
  };
}

/** A namespace of its own, with which everything about it ends, also what events say. */
export async function namespaceFor(
  scene: ClusterScene,
  labels: Readonly<Record<string, string>> = {},
): Promise<readonly [name: string, remove: () => Promise<unknown>]> {
  const name = scene.fresh("complaint");
  await scene.apply([{ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }]);
  await until("the default service account is there", 15_000, () =>
    scene.api.get(`/api/v1/namespaces/${name}/serviceaccounts/default`),
  );
  return [name, () => scene.api.delete(`/api/v1/namespaces/${name}`, 0)];
}

/** A pod that stays, in a namespace of its own. */
export async function pod(scene: ClusterScene, given: Given, labels?: Readonly<Record<string, string>>) {
  const [namespace, remove] = await namespaceFor(scene, labels);
  await scene.api.create(
    podManifest({
      name: "application",
      namespace,
      image: scene.images.probe,
      args: ["--hold"],
      graceSeconds: 0,
      ...given,
    }),
  );
  return remove;
}

async function job(
  scene: ClusterScene,
  limits: Readonly<Record<string, string | number>>,
  labels?: Readonly<Record<string, string>>,
) {
  const [namespace, remove] = await namespaceFor(scene, labels);
  const { spec } = podManifest({ name: "x", namespace, image: scene.images.probe, args: ["--hold"], limits }) as {
    spec: object;
  };
  await scene.api.create({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "application", namespace },
    spec: { backoffLimit: 0, template: { spec } },
  });
  return remove;
}
