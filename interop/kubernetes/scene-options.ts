import type { ManifestValues } from "@confcom/kubernetes";
import type { Cluster, NodeOptions } from "./cluster/cluster.ts";

export type GivenValues = Partial<ManifestValues>;

export interface Materials {
  /** Directory of the cluster's programs, and their versions by name. */
  readonly binaries: string;
  readonly dnsProgram: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Archives. */
  readonly pause: string;
  readonly probe: string;
}

export interface SceneOptions {
  /** Version of the image under test. */
  readonly version: string;
  readonly nodes: readonly NodeOptions[];
  /** Under the values of whoever installs. */
  readonly baseValues: GivenValues;
  /** A node whose directories are the volumes of a default StorageClass; there is none unless given. */
  readonly storageNode?: string;
  startCluster(nodes: readonly NodeOptions[]): Promise<Cluster>;
  /** What another cluster would be made of: the directory of binaries, and archives. */
  materials(): Promise<Materials>;
  /** Archives of every image that a pod of ours runs. */
  imageArchives(): Promise<readonly string[]>;
  log(line: string): void;
}
