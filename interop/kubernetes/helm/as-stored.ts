import type { KubernetesObject } from "@confcom/kubernetes";
import type { ApiClient } from "../observe/api-client.ts";

/**
 * An object as the API server would store it, defaults and all; nothing is stored. It must not be there yet: over one that
 * is, an apply changes only what it names.
 */
export async function asStored(api: ApiClient, object: KubernetesObject): Promise<object> {
  const path = `${pathOf(object)}?dryRun=All&force=true&fieldManager=checks`;
  // As an apply, by which the API server refuses fields that it does not know.
  const { status, body } = await api.send("PATCH", `${path}&fieldValidation=Strict`, {
    body: object,
    contentType: "application/apply-patch+yaml",
  });
  if (status !== 201)
    throw new Error(`${describe(object)}: ${status}, where 201 is a new object: ${body.slice(0, 500)}`);
  const { metadata, ...stored } = JSON.parse(body) as KubernetesObject & { metadata: Record<string, unknown> };
  const { uid: _, creationTimestamp: __, managedFields: ___, ...kept } = metadata;
  return { metadata: kept, ...stored };
}

export function describe({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;
}

export function pathOf({ apiVersion, kind, metadata: { namespace, name } }: KubernetesObject): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind.endsWith("y") ? `${kind.slice(0, -1)}ies` : `${kind}s`;
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${group}${scope}/${plural.toLowerCase()}/${name}`;
}
