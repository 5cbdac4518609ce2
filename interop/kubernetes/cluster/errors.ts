/** Code → what it means and what to do. */
export const CLUSTER_ERRORS = {
  NOT_ROOT: "Namespaces, mounts and device nodes need root: run the command again as root",
  PROGRAM_MISSING: "A program that the cluster is made of is not installed: install the packages named in the message",
  BAD_NAME: "A cluster's or node's name is made of lower-case letters, digits and dashes, at most 40 of them",
  BAD_DIRECTORY:
    "The cluster's directory cannot hold one: choose another, on a disk or a tmpfs, with a short plain name",
  ALREADY_RUNNING: "A cluster is running in this directory: take it down first or use it",
  NOT_RUNNING: "No cluster is running in this directory: start one with `confcom-dev cluster up`",
  COMPONENT_FAILED: "A component did not start: the message ends with the last lines of its log",
  COMMAND_FAILED: "A command ended with a failure: the message says which and what it printed",
  TIMEOUT: "Something did not happen in the time that it usually takes: see the logs in the cluster's directory",
  UNKNOWN_NODE: "The cluster has no node of that name",
} as const;

export type ClusterErrorCode = keyof typeof CLUSTER_ERRORS;

export class ClusterError extends Error {
  override readonly name = "ClusterError";
  readonly code: ClusterErrorCode;

  constructor(code: ClusterErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
