import { PLUGIN_NAME, PLUGIN_PORT, type PluginStatus } from "@confcom/kubernetes";
import { expect } from "../../check.ts";
import { NAMESPACE } from "../scene-names.ts";
import type { ApiClient } from "./api-client.ts";
import { type ContainerProcess, containerProcess } from "./container-process.ts";
import { count, type DaemonSet, type Pod } from "./kubernetes-objects.ts";
import { type Reached, until } from "./until.ts";

/** What is seen of our DaemonSets through the API server: their pods, what the daemons say, what the nodes offer. */
export abstract class DaemonPods {
  abstract get api(): ApiClient;

  /** Waits until every pod of a DaemonSet is of its newest template and ready. */
  rolledOut(name: string, limit: number): Promise<Reached<DaemonSet>> {
    return until(`DaemonSet ${name} is rolled out`, limit, async () => {
      const set = await this.api.daemonSet(NAMESPACE, name);
      const { status, metadata } = set;
      const { observedGeneration, desiredNumberScheduled: desired, updatedNumberScheduled, numberAvailable } = status;
      expect(observedGeneration === metadata.generation, "the controller has not seen the change");
      expect(updatedNumberScheduled === desired, `${updatedNumberScheduled ?? 0} of ${desired} pods updated`);
      expect((numberAvailable ?? 0) === desired, `${numberAvailable ?? 0} of ${desired} pods available`);
      return set;
    });
  }

  /** The pod of one of our DaemonSets on a node; one that is being deleted does not count. */
  async podOf(daemonSet: string, node: string): Promise<Pod> {
    const pods = await this.api.pods(`app=${daemonSet}`, NAMESPACE);
    const here = pods.filter(
      ({ spec, metadata }) => spec.nodeName === node && metadata.deletionTimestamp === undefined,
    );
    const pod = here.find(({ status }) => status.phase !== "Failed") ?? here[0];
    if (pod === undefined) throw new Error(`no pod of ${daemonSet} on ${node}`);
    return pod;
  }

  /** Waits until that pod is ready with all its containers. */
  ready(daemonSet: string, node: string, limit: number): Promise<Reached<Pod>> {
    return until(`${daemonSet} is ready on ${node}`, limit, async () => {
      const pod = await this.podOf(daemonSet, node);
      expect(isReady(pod), `${pod.metadata.name} is ${pod.status.phase}, not ready`);
      return pod;
    });
  }

  async pluginStatus(node: string): Promise<PluginStatus> {
    return this.statusOfPod((await this.podOf(PLUGIN_NAME, node)).metadata.name);
  }

  statusOfPod(pod: string): Promise<PluginStatus> {
    return this.api.ofPod<PluginStatus>(NAMESPACE, pod, PLUGIN_PORT, "/status");
  }

  async processOf(daemonSet: string, node: string, container: string): Promise<ContainerProcess> {
    return containerProcess(await this.podOf(daemonSet, node), container);
  }

  /** What the scheduler may give away of a resource on a node, and how much there is. */
  async resource(node: string, name: string): Promise<{ allocatable: number; capacity: number }> {
    const { status } = await this.api.node(node);
    return { allocatable: count(status.allocatable[name]), capacity: count(status.capacity[name]) };
  }

  allocatable(node: string, name: string, expected: number, limit: number): Promise<Reached<void>> {
    return until(`${name} allocatable on ${node} is ${expected}`, limit, async () => {
      const { allocatable, capacity } = await this.resource(node, name);
      expect(allocatable === expected, `allocatable ${allocatable}, capacity ${capacity}`);
    });
  }

  phase(namespace: string, name: string, phase: string, limit: number): Promise<Reached<Pod>> {
    return until(`pod ${name} is ${phase}`, limit, async () => {
      const pod = await this.api.pod(namespace, name);
      expect(
        pod.status.phase === phase,
        `it is ${pod.status.phase} ${pod.status.reason ?? ""} ${pod.status.message ?? ""}`,
      );
      return pod;
    });
  }
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
