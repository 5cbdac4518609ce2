import {
  AESM_VARIABLE,
  AZURE_EPC_RESOURCE,
  INTEL_EPC_RESOURCE,
  OWN_QUOTE_PROVIDER_ANNOTATION,
  OWN_RESOURCES,
  PROVISION_RESOURCE,
  QUOTE_PROVIDER_ANNOTATION,
  QUOTE_RESOURCE,
} from "../../names.ts";

// What the API server is told to look for in pods, in CEL. Each function takes the CEL of a container.

/** JSON's strings and lists of strings are CEL's too. */
export const cel = (value: string | readonly string[]): string => JSON.stringify(value);

/** Containers and init containers. Ephemeral containers cannot ask for resources. */
export const CONTAINERS = "(object.spec.containers + object.spec.?initContainers.orValue([]))";

/** Either spelling; own first. */
export const QUOTE_PROVIDER_ANNOTATIONS = [OWN_QUOTE_PROVIDER_ANNOTATION, QUOTE_PROVIDER_ANNOTATION] as const;

/** What those annotations say. */
export const PROVIDERS: string = `${cel(QUOTE_PROVIDER_ANNOTATIONS)}.map(a, object.metadata.?annotations[?a].orValue("")).filter(p, p != "")`;

/** The annotation's value that means out-of-process. */
const AESM_PROVIDER = "aesmd";

/** The name under which a container serves quotes itself: a sidecar that has the provisioning key for others. */
const AESM_CONTAINER = "aesmd";

/** The quantity as the API server writes it: "10", "10Mi"; "0" where the resource is not named. */
export function amountOf(container: string, resource: string): string {
  const inMap = (map: string) => `${container}.?resources.?${map}[?${cel(resource)}]`;
  return `${inMap("limits")}.or(${inMap("requests")}).orValue("0")`;
}

export const asksFor = (container: string, resource: string): string => `${amountOf(container, resource)} != "0"`;

/** EPC under either name. */
const asksForEpc = (container: string): string =>
  `(${asksFor(container, AZURE_EPC_RESOURCE)} || ${asksFor(container, INTEL_EPC_RESOURCE)})`;

/**
 * Out-of-process: by the slot, by the variable with anything in it, or as one of the containers with EPC of a pod whose
 * annotation says so, from which the empty variable excepts a container.
 */
export function optsIn(container: string): string {
  const variables = `${container}.?env.orValue([]).filter(e, e.name == ${cel(AESM_VARIABLE)})`;
  const byVariable = `${variables}.exists(e, has(e.valueFrom) || e.?value.orValue("") != "")`;
  const byAnnotation = `${cel(AESM_PROVIDER)} in ${PROVIDERS} && ${asksForEpc(container)} && size(${variables}) == 0`;
  return `(${asksFor(container, QUOTE_RESOURCE)} || ${byVariable} || (${byAnnotation}))`;
}

/** In-process, by asking for the provisioning key. */
export function asksForProvision(container: string): string {
  return `(${container}.name != ${cel(AESM_CONTAINER)} && ${asksFor(container, PROVISION_RESOURCE)})`;
}

/** In-process, by an annotation with the container's name. */
export function isNamedAsProvider(container: string): string {
  return `(${container}.name != ${cel(AESM_CONTAINER)} && ${container}.name in ${PROVIDERS})`;
}

/** A pod with anything in it that the webhook may have to look at: most pods have none of it. */
export const CONCERNS_SGX: string =
  `${cel(QUOTE_PROVIDER_ANNOTATIONS)}.exists(a, a in object.metadata.?annotations.orValue({})) || ` +
  `${CONTAINERS}.exists(c, ` +
  `${cel(OWN_RESOURCES)}.exists(n, n in c.?resources.?limits.orValue({}) || n in c.?resources.?requests.orValue({})) || ` +
  `c.?env.orValue([]).exists(e, e.name == ${cel(AESM_VARIABLE)}))`;
