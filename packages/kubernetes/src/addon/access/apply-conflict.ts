import { ApiError } from "../../api/api-error.ts";

/** A field that somebody else holds. */
export interface FieldConflict {
  /** As the API server writes it: `.spec.template.spec.containers[name="sgx-plugin"].image`. */
  readonly field: string;
  /** Who holds it, e.g. `kubectl-client-side-apply`. */
  readonly manager: string;
}

/** A server-side apply that would have taken fields from another manager. */
export class ApplyConflict extends ApiError {
  readonly conflicts: readonly FieldConflict[];

  constructor(message: string, conflicts: readonly FieldConflict[]) {
    super("API_SERVER_REFUSED", message, { status: 409 });
    this.conflicts = conflicts;
  }
}

/** More are not told. */
const MAX_CONFLICTS = 100;

/** The conflicts in a `Status` object of status 409; none where it is about something else, such as a resourceVersion. */
export function conflictsIn(status: unknown): readonly FieldConflict[] {
  const causes = member(member(status, "details"), "causes");
  if (!Array.isArray(causes)) return [];
  return causes
    .filter((cause) => member(cause, "reason") === "FieldManagerConflict")
    .slice(0, MAX_CONFLICTS)
    .map((cause) => ({
      field: String(member(cause, "field") ?? "").slice(0, 512),
      manager: /conflict with "((?:[^"\\]|\\.){1,256})"/.exec(String(member(cause, "message") ?? ""))?.[1] ?? "?",
    }));
}

function member(of: unknown, key: string): unknown {
  return typeof of === "object" && of !== null ? (of as Record<string, unknown>)[key] : undefined;
}
