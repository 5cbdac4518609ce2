import { KubernetesError } from "../errors.ts";
import {
  PLUGIN_STATES,
  PLUGIN_STATUS_SIZE_LIMIT,
  type PluginState,
  type PluginStatus,
  STATUS_EVENT_LIMIT,
} from "./plugin-status.ts";

/** How many elements each list may have; what is longer is no status of ours. */
const LIST_LIMITS = { resources: 16, counters: 8, problems: 256, warnings: 64, numaNodes: 1024, sources: 16 } as const;

/**
 * Decodes what a device plugin answered on `/status`. Whoever answers may be anybody: sizes are checked before anything
 * is parsed, every field has its type, unknown fields are dropped. Throws KubernetesError `PLUGIN_STATUS_MALFORMED`.
 */
export function decodePluginStatus(bytes: Uint8Array): PluginStatus {
  if (bytes.length > PLUGIN_STATUS_SIZE_LIMIT) {
    throw malformed(`${bytes.length} bytes, more than ${PLUGIN_STATUS_SIZE_LIMIT}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw malformed("not JSON", cause);
  }
  return pluginStatus(new Reader(value, "status"));
}

function malformed(what: string, cause?: unknown): KubernetesError {
  return new KubernetesError("PLUGIN_STATUS_MALFORMED", `the device plugin's status cannot be used: ${what}`, {
    cause,
  });
}

/** A value and where in the document it stands. */
class Reader {
  readonly #value: unknown;
  readonly #path: string;

  constructor(value: unknown, path: string) {
    this.#value = value;
    this.#path = path;
  }

  field(name: string): Reader {
    if (typeof this.#value !== "object" || this.#value === null || Array.isArray(this.#value))
      this.#refuse("an object");
    const own = Object.hasOwn(this.#value as object, name);
    return new Reader(own ? (this.#value as Record<string, unknown>)[name] : undefined, `${this.#path}.${name}`);
  }

  text(limit = 4096): string {
    if (typeof this.#value !== "string" || this.#value.length > limit) this.#refuse(`a text of up to ${limit}`);
    return this.#value as string;
  }

  time(): string {
    const text = this.text(40);
    if (!/^\d{4}-\d\d-\d\dT/.test(text) || Number.isNaN(Date.parse(text))) this.#refuse("a time");
    return text;
  }

  flag(): boolean {
    if (typeof this.#value !== "boolean") this.#refuse("true or false");
    return this.#value as boolean;
  }

  count(): number {
    if (!Number.isSafeInteger(this.#value) || (this.#value as number) < 0) this.#refuse("a whole number");
    return this.#value as number;
  }

  oneOf<T extends string>(choices: readonly T[]): T {
    if (!choices.some((choice) => choice === this.#value)) this.#refuse(`one of ${choices.join(", ")}`);
    return this.#value as T;
  }

  matching(pattern: RegExp, what: string): string {
    const text = this.text(253);
    if (!pattern.test(text)) this.#refuse(what);
    return text;
  }

  orNull<T>(read: (reader: Reader) => T): T | null {
    return this.#value === null || this.#value === undefined ? null : read(this);
  }

  list<T>(limit: number, read: (reader: Reader) => T): T[] {
    if (!Array.isArray(this.#value) || this.#value.length > limit) this.#refuse(`a list of up to ${limit}`);
    return (this.#value as unknown[]).map((item, index) => read(new Reader(item, `${this.#path}[${index}]`)));
  }

  #refuse(wanted: string): never {
    throw malformed(`${this.#path} is not ${wanted}`);
  }
}

const RESOURCE_NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const REASON = /^[A-Z][A-Za-z0-9]{0,127}$/;
const text = (reader: Reader) => reader.text();

function pluginStatus(status: Reader): PluginStatus {
  const replaced = status.field("replaced").orNull(text);
  return {
    version: status.field("version").text(64),
    node: status.field("node").orNull((node) => node.text(253)),
    now: status.field("now").time(),
    startedAt: status.field("startedAt").time(),
    state: status.field("state").oneOf<PluginState>(PLUGIN_STATES),
    ...(replaced === null ? {} : { replaced }),
    sgx: sgxStatus(status.field("sgx")),
    publishing: status.field("publishing").orNull(publishingStatus),
    resources: status.field("resources").list(LIST_LIMITS.resources, resourceStatus),
    counters: status.field("counters").list(LIST_LIMITS.counters, (counter) => ({
      name: counter.field("name").matching(RESOURCE_NAME, "a resource name"),
      quantity: counter.field("quantity").matching(/^(0|[1-9]\d{0,17})$/, "a whole number as text"),
    })),
    problems: status.field("problems").list(LIST_LIMITS.problems, (problem) => ({
      code: problem.field("code").matching(/^[A-Z][A-Z0-9_]{0,63}$/, "a code"),
      message: problem.field("message").text(),
      nextStep: problem.field("nextStep").text(),
      since: problem.field("since").time(),
    })),
    events: events(status.field("events")),
  };
}

function events(list: Reader): PluginStatus["events"] {
  let last = 0;
  return list.list(STATUS_EVENT_LIMIT, (event) => {
    const sequence = event.field("sequence").count();
    if (sequence <= last) throw malformed("the events' sequence does not rise");
    last = sequence;
    return {
      sequence,
      time: event.field("time").time(),
      type: event.field("type").oneOf(["Normal", "Warning"]),
      reason: event.field("reason").matching(REASON, "a reason in CamelCase"),
      message: event.field("message").text(1024),
    };
  });
}

function sgxStatus(sgx: Reader): PluginStatus["sgx"] {
  const devices = sgx.field("devices");
  const epc = sgx.field("epc");
  return {
    capable: sgx.field("capable").flag(),
    devices: {
      enclave: devices.field("enclave").orNull(text),
      provision: devices.field("provision").orNull(text),
      generation: devices.field("generation").orNull(text),
      problems: devices.field("problems").list(LIST_LIMITS.warnings, text),
    },
    epc: {
      totalMiB: epc.field("totalMiB").count(),
      totalBytes: epc.field("totalBytes").count(),
      source: epc.field("source").orNull(text),
      perNumaNode: epc.field("perNumaNode").list(LIST_LIMITS.numaNodes, (node) => ({
        node: node.field("node").count(),
        bytes: node.field("bytes").count(),
      })),
      tried: epc.field("tried").list(LIST_LIMITS.sources, (tried) => ({
        source: tried.field("source").text(),
        usable: tried.field("usable").flag(),
        why: tried.field("why").text(),
      })),
    },
  };
}

function publishingStatus(publishing: Reader): NonNullable<PluginStatus["publishing"]> {
  return {
    resourceNames: publishing.field("resourceNames").oneOf(["azure", "intel"]),
    mode: publishing.field("mode").oneOf(["device", "counter", "none"]),
    requestedMode: publishing.field("requestedMode").oneOf(["auto", "device", "counter"]),
    why: publishing.field("why").text(),
    encodedBytes: publishing.field("encodedBytes").count(),
    limitBytes: publishing.field("limitBytes").count(),
    warnings: publishing.field("warnings").list(LIST_LIMITS.warnings, text),
  };
}

function resourceStatus(resource: Reader): PluginStatus["resources"][number] {
  const problem = resource.field("problem").orNull(text);
  return {
    name: resource.field("name").matching(RESOURCE_NAME, "a resource name"),
    endpoint: resource.field("endpoint").text(255),
    total: resource.field("total").count(),
    healthy: resource.field("healthy").count(),
    allocated: resource.field("allocated").orNull((count) => count.count()),
    registeredAt: resource.field("registeredAt").orNull((time) => time.time()),
    listAndWatchOpen: resource.field("listAndWatchOpen").flag(),
    ...(problem === null ? {} : { problem }),
  };
}
