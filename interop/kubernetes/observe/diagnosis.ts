import type { ApiClient } from "./api-client.ts";
import type { ClusterEvent, Pod } from "./kubernetes-objects.ts";

const EVENTS = 15;
const LOG_LINES = 6;

/** What an operator would look at first: pods, the last events, and the last words of containers that are not well. */
export async function diagnosis(api: ApiClient): Promise<string[]> {
  try {
    const [pods, events] = await Promise.all([api.list<Pod>("/api/v1/pods"), api.events()]);
    const unwell = pods.filter((pod) => isOurs(pod) || !isWell(pod));
    const logs = await Promise.all(unwell.slice(0, 12).map((pod) => lastWords(api, pod)));
    return [
      ...pods.map(podLine),
      ...[...events]
        .sort((a, b) => timeOf(a).localeCompare(timeOf(b)))
        .slice(-EVENTS)
        .map(eventLine),
      ...logs.flat(),
    ];
  } catch (error) {
    return [`the API server does not tell: ${error instanceof Error ? error.message : String(error)}`];
  }
}

const isOurs = (pod: Pod): boolean => /^sgx-(plugin|quote-helper)$/.test(pod.metadata.labels?.app ?? "");

const isWell = (pod: Pod): boolean =>
  pod.status.phase === "Succeeded" || (pod.status.containerStatuses?.every(({ ready }) => ready) ?? false);

function podLine({ metadata, spec, status }: Pod): string {
  const containers = (status.containerStatuses ?? []).map(({ name, ready, restartCount, state }) => {
    const why = state?.waiting?.reason ?? state?.terminated?.reason ?? "running";
    return `${name}=${ready ? "ready" : why}${restartCount > 0 ? ` restarts ${restartCount}` : ""}`;
  });
  const why = [status.reason, status.message].filter((text) => text !== undefined).join(": ");
  const scheduled = status.conditions?.find(
    ({ type, status }) => type === "PodScheduled" && status === "False",
  )?.message;
  return `pod ${metadata.namespace}/${metadata.name} on ${spec.nodeName ?? "no node"}: ${status.phase} ${containers.join(", ")} ${why}${scheduled ?? ""}`;
}

function eventLine(event: ClusterEvent): string {
  const { kind, name } = event.involvedObject;
  return `event ${timeOf(event).slice(11, 19)} ${event.type} ${kind}/${name} ${event.reason}: ${event.message.slice(0, 240)}`;
}

function timeOf(event: ClusterEvent): string {
  return event.lastTimestamp ?? event.eventTime ?? event.metadata.creationTimestamp;
}

async function lastWords(api: ApiClient, pod: Pod): Promise<string[]> {
  const { namespace = "default", name } = pod.metadata;
  const logs = await Promise.all(
    pod.spec.containers.map(async (container) => {
      const text = await api.log(namespace, name, container.name, `tailLines=${LOG_LINES}`).catch(() => "");
      const lines = text.split("\n").filter((line) => line !== "");
      return lines.map((line) => `log ${name}/${container.name}: ${line.slice(0, 240)}`);
    }),
  );
  return logs.flat();
}
