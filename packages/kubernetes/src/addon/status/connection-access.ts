import { ApiError, apiErrorOf } from "../../api/api-error.ts";
import type { ApiConnection } from "../access/http-cluster-access.ts";
import type { StatusAccess } from "./access.ts";

/** Reads over the connection of a kubeconfig. Rejects with ApiError. */
export function statusAccess(connection: ApiConnection): StatusAccess {
  return {
    async read(path, bounds) {
      const what = `GET ${path.split("?")[0]}`;
      const { status, body, retryAfter } = await connection.call("GET", path, undefined, bounds);
      if (status < 200 || status > 299) throw apiErrorOf(status, what, body, retryAfter);
      if (body === undefined) throw new ApiError("API_SERVER_REFUSED", `${what}: the answer is no JSON`, { status });
      return body;
    },
  };
}
