import type { Cluster } from "./cluster.ts";

/** The cluster's default StorageClass. */
export const STORAGE_CLASS = "local";

/** Claims of one cluster's life: a volume that was once claimed is not given away again. */
const VOLUMES = 24;

const DIRECTORY = "/var/lib/volumes";

/**
 * Gives the cluster a default StorageClass: volumes that are directories of one node, made beforehand, bound when the
 * first pod that claims one is scheduled (and so goes to that node). What a claim left in its directory stays.
 */
export async function provideStorage(cluster: Cluster, node: string): Promise<void> {
  const names = Array.from({ length: VOLUMES }, (_, index) => `${node}-${index + 1}`);
  await cluster.node(node).exec(["mkdir", "-p", ...names.map((name) => `${DIRECTORY}/${name}`)]);
  const objects = [storageClass(), ...names.map((name) => volume(name, node))];
  await cluster.apply(objects.map((object) => JSON.stringify(object)).join("\n---\n"));
}

function storageClass(): object {
  return {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name: STORAGE_CLASS, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Retain",
  };
}

/** Of the type `local`, for which the kubelet, unlike for hostPath, obeys a pod's fsGroup. */
function volume(name: string, node: string): object {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name },
    spec: {
      capacity: { storage: "10Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: STORAGE_CLASS,
      local: { path: `${DIRECTORY}/${name}` },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  };
}
