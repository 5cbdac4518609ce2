import type { Clock } from "../clock.ts";
import type { DaemonLog } from "../daemon-log.ts";
import type { DevicePluginReport } from "../device-plugin/report.ts";
import type { KubernetesError, KubernetesErrorCode } from "../errors.ts";
import type { NodeProblem } from "../node-problem.ts";
import { ProblemList } from "../status/problem-list.ts";
import { EventRing } from "./event-ring.ts";

/** What the kubelet did with one resource, since the start. */
export interface ResourceCounts {
  registrations: number;
  registrationFailures: number;
  allocations: number;
  allocationFailures: number;
  preStartFailures: number;
}

/** From this failed attempt on a registration is an event: a kubelet that restarts is away for a moment. */
const NOTABLE_ATTEMPTS = 4;

/** Everything that has happened to the plugin: counted, logged, and kept as problems and events for its status. */
export class Happenings {
  readonly problems: ProblemList;
  readonly events: EventRing;
  readonly #log: DaemonLog;
  #unobserved = 0;
  readonly #counts = new Map<string, ResourceCounts>();

  constructor(clock: Clock, log: DaemonLog) {
    this.problems = new ProblemList(clock);
    this.events = new EventRing(clock);
    this.#log = log;
  }

  counts(): ReadonlyMap<string, Readonly<ResourceCounts>> {
    return this.#counts;
  }

  /** Something worth an event of the node and a line of the log. */
  tell(type: "Normal" | "Warning", reason: string, message: string, facts: object = {}): void {
    if (!this.events.add(type, reason, message)) return;
    if (type === "Normal") this.#log.info({ reason, ...facts }, message);
    else this.#log.warn({ reason, ...facts }, message);
  }

  /** What is wrong with the node now, of one kind; what is new is told. */
  found(group: string, problems: readonly NodeProblem[]): void {
    for (const { code, message, nextStep } of this.problems.replace(group, problems)) {
      this.tell("Warning", reasonOf(code), message, { code, nextStep });
    }
  }

  /** The kubelet could not be asked what containers hold; undefined: it could. One that restarts is not told of. */
  observed(error: KubernetesError | undefined): void {
    this.#unobserved = error === undefined ? 0 : this.#unobserved + 1;
    if (error === undefined) this.#solved("", "POD_RESOURCES_UNREACHABLE");
    else if (this.#unobserved >= NOTABLE_ATTEMPTS) this.#problem("", error);
  }

  /** What the device plugin reports while it runs. */
  report(): DevicePluginReport {
    const log = this.#log;
    return {
      registered: ({ resourceName, endpoint, generation }) => {
        this.#of(resourceName).registrations++;
        this.#solved("kubelet", "KUBELET_UNREACHABLE");
        this.#solved(resourceName, "KUBELET_REFUSED_REGISTRATION", "ENDPOINT_UNUSABLE");
        log.info({ resourceName, endpoint, generation }, "registered with the kubelet");
      },
      registrationFailed: ({ resourceName, error, attempt, retryInMs }) => {
        this.#of(resourceName).registrationFailures++;
        if (attempt === 1 || attempt % NOTABLE_ATTEMPTS === 0) {
          log.warn({ resourceName, code: error.code, attempt, retryInMs }, error.message);
        }
        // A kubelet that is away is away for all resources.
        const subject = error.code === "KUBELET_UNREACHABLE" ? "kubelet" : resourceName;
        if (attempt >= NOTABLE_ATTEMPTS) this.#problem(subject, error);
      },
      listAndWatchOpened: ({ resourceName, devices, encodedBytes }) => {
        this.#solved(resourceName, "KUBELET_NEVER_CALLED");
        log.info({ resourceName, devices, encodedBytes }, "the kubelet reads the device list");
      },
      listAndWatchClosed: ({ resourceName, stillOpen }) => {
        if (stillOpen === 0) log.warn({ resourceName }, "the kubelet reads the device list no longer");
      },
      allocated: ({ resourceName, ids, error }) => {
        this.#of(resourceName)[error === undefined ? "allocations" : "allocationFailures"]++;
        if (error === undefined) log.info({ resourceName, devices: ids.length }, "allocated");
        else this.tell("Warning", "AllocationRefused", `${resourceName}: ${error.message}`, { code: error.code });
      },
      preStart: ({ resourceName, error }) => {
        if (error === undefined) return;
        this.#of(resourceName).preStartFailures++;
        this.tell("Warning", "ContainerStartRefused", `${resourceName}: ${error.message}`, { code: error.code });
      },
      replaced: ({ resourceName, endpoint }) =>
        this.tell("Normal", "DevicePluginReplaced", `${resourceName} was taken over by a newer device plugin`, {
          endpoint,
        }),
      foreign: ({ resourceName, error }) => this.#problem(resourceName, error),
      neverCalled: ({ resourceName, error }) => this.#problem(resourceName, error),
      tooLarge: ({ resourceName, error }) => this.#problem(resourceName, error),
    };
  }

  #of(resourceName: string): ResourceCounts {
    let counts = this.#counts.get(resourceName);
    if (counts === undefined) {
      counts = {
        registrations: 0,
        registrationFailures: 0,
        allocations: 0,
        allocationFailures: 0,
        preStartFailures: 0,
      };
      this.#counts.set(resourceName, counts);
    }
    return counts;
  }

  #problem(subject: string, { code, message, nextStep }: KubernetesError): void {
    if (!this.problems.set(code, message, { subject, nextStep })) return;
    this.tell("Warning", reasonOf(code), message, { code, nextStep });
  }

  #solved(subject: string, ...codes: readonly KubernetesErrorCode[]): void {
    for (const code of codes) {
      if (this.problems.clear(code, subject)) this.#log.info({ code, resourceName: subject }, "solved");
    }
  }
}

/** SGX_DEVICE_MISSING → SgxDeviceMissing. */
function reasonOf(code: KubernetesErrorCode): string {
  return code.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
