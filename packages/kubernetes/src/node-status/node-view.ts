import { ApiError } from "../api/api-error.ts";

/** The parts of a Node that are compared with what the plugin says. */
export interface NodeView {
  readonly name: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Resource name → quantity, in the API server's spelling. */
  readonly capacity: Readonly<Record<string, string>>;
}

/** Reads a Node as the API server answers it. Throws ApiError `API_SERVER_REFUSED` where it is none. */
export function nodeView(body: unknown): NodeView {
  const node = record(body);
  const metadata = record(node?.metadata);
  const name = metadata?.name;
  if (node?.kind !== "Node" || typeof name !== "string") {
    throw new ApiError("API_SERVER_REFUSED", "the API server's answer is no Node", {});
  }
  const version = metadata?.resourceVersion;
  return {
    name,
    resourceVersion: typeof version === "string" ? version : "",
    labels: texts(metadata?.labels),
    annotations: texts(metadata?.annotations),
    capacity: texts(record(node.status)?.capacity),
  };
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(record(value) ?? {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
