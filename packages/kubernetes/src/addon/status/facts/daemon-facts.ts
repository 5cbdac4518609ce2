import {
  NODE_STATUS_NAME,
  NODE_STATUS_PORT,
  PCCS_NAME,
  PCCS_STATUS_PORT,
  PCCS_TRUST_PORT,
  PLUGIN_NAME,
  PLUGIN_PORT,
  QUOTE_HELPER_NAME,
  QUOTE_HELPER_PORT,
  WEBHOOK_NAME,
  WEBHOOK_STATUS_PORT,
} from "../../../manifests/object-names.ts";
import { decodePluginStatus } from "../../../status/decode-plugin-status.ts";
import type { PluginStatus } from "../../../status/plugin-status.ts";
import { at, listAt, textAt } from "./json.ts";

/** A daemon of ours, and the port on which it answers `/status` in pods of its component. */
export interface Daemon {
  readonly name: string;
  /** Label `app` of its pods. */
  readonly component: string;
  readonly port: number;
}

export const DAEMONS: readonly Daemon[] = [
  { name: PLUGIN_NAME, component: PLUGIN_NAME, port: PLUGIN_PORT },
  { name: NODE_STATUS_NAME, component: PLUGIN_NAME, port: NODE_STATUS_PORT },
  { name: QUOTE_HELPER_NAME, component: QUOTE_HELPER_NAME, port: QUOTE_HELPER_PORT },
  { name: WEBHOOK_NAME, component: WEBHOOK_NAME, port: WEBHOOK_STATUS_PORT },
  { name: "pccs", component: PCCS_NAME, port: PCCS_STATUS_PORT },
  { name: "pccs-trust", component: PCCS_NAME, port: PCCS_TRUST_PORT },
];

/** What one daemon answered on `/status`, or why that is not known. */
export interface DaemonFacts {
  readonly daemon: string;
  readonly pod: string;
  readonly node: string | null;
  /** Empty where the daemon does not say. */
  readonly version: string;
  /** Why nothing is known; null where something is. */
  readonly unread: string | null;
  readonly problems: readonly DaemonProblem[];
  /** Of `sgx-plugin` alone. */
  readonly plugin: PluginStatus | null;
  /** Of `sgx-quote-helper` alone. */
  readonly helper: HelperFacts | null;
}

export interface DaemonProblem {
  readonly code: string;
  readonly message: string;
  readonly nextStep: string;
}

export interface HelperFacts {
  readonly ready: boolean;
  /** Why (not), in its own words. */
  readonly why: string;
  /** Whether the socket path leads to the helper's own socket. */
  readonly ownsSocket: boolean;
  /** Null where the helper certifies its platform itself. */
  readonly provisioning: {
    readonly service: string;
    readonly ok: boolean;
    readonly code: string;
    readonly message: string;
  } | null;
  /** SHA-256 of the root certificate under which its quotes stand, lower-case hexadecimal; empty while there is none. */
  readonly rootSha256: string;
}

type Place = Pick<DaemonFacts, "daemon" | "pod" | "node">;

export function unreadDaemon(place: Place, why: string): DaemonFacts {
  return { ...place, version: "", unread: why, problems: [], plugin: null, helper: null };
}

/** Facts of an answer. Whoever answers may be anybody: what is not as expected makes the daemon unread. */
export function daemonFacts(place: Place, value: unknown): DaemonFacts {
  if (typeof value !== "object" || value === null) return unreadDaemon(place, "what answers is no daemon of ours");
  try {
    const isPlugin = place.daemon === PLUGIN_NAME;
    const plugin = isPlugin ? decodePluginStatus(new TextEncoder().encode(JSON.stringify(value))) : null;
    return {
      ...place,
      version: textAt(value, "version").slice(0, 64),
      unread: null,
      problems: listAt(value, "problems").slice(0, 64).map(daemonProblem),
      plugin,
      helper: place.daemon === QUOTE_HELPER_NAME ? helperFacts(value) : null,
    };
  } catch (error) {
    return unreadDaemon(place, error instanceof Error ? error.message.slice(0, 300) : String(error));
  }
}

function daemonProblem(problem: unknown): DaemonProblem {
  return {
    code: textAt(problem, "code").slice(0, 64),
    message: textAt(problem, "message"),
    nextStep: textAt(problem, "nextStep"),
  };
}

function helperFacts(status: unknown): HelperFacts {
  const provisioning = at(status, "provisioning");
  const hasService = typeof provisioning === "object" && provisioning !== null;
  return {
    ready: at(status, "ready", "ok") === true,
    why: textAt(status, "ready", "why"),
    ownsSocket: at(status, "socket", "ours") === true,
    provisioning: hasService
      ? {
          service: textAt(provisioning, "service"),
          ok: at(provisioning, "ok") === true,
          code: textAt(provisioning, "failure", "code"),
          message: textAt(provisioning, "failure", "message"),
        }
      : null,
    rootSha256:
      /^SHA-256 ([0-9A-F:]{95})$/
        .exec(textAt(status, "platform", "root"))?.[1]
        ?.replaceAll(":", "")
        .toLowerCase() ?? "",
  };
}
