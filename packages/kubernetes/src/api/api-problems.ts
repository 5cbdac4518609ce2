import type { KubernetesErrorCode } from "../errors.ts";

/** What can stand between a daemon and its API server, whatever it asks for. */
export const API_PROBLEMS: readonly KubernetesErrorCode[] = [
  "API_CREDENTIALS_UNREADABLE",
  "API_SERVER_UNREACHABLE",
  "API_SERVER_UNAUTHORIZED",
  "API_SERVER_FORBIDDEN",
  "API_SERVER_BUSY",
  "API_SERVER_REFUSED",
];
