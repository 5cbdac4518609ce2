import { COUNTER_RESOURCES, COUNTERS_ANNOTATION, EVENT_COMPONENT, OWN_LABELS } from "../../names.ts";
import type { NamedExpression } from "../admission-policy.ts";
import { PLUGIN_NAME } from "../object-names.ts";
import { type Narrowed, narrowingPolicy } from "./narrowing-policy.ts";

const NODE_CLAIM = "authentication.kubernetes.io/node-name";

/** JSON's strings and lists of strings are CEL's too. */
const cel = (value: string | readonly string[]) => JSON.stringify(value);

/** The node to which the pod of the token is bound; empty where the token is bound to none. */
const OWN_NODE: NamedExpression = {
  name: "ownNode",
  expression: `has(request.userInfo.extra) && ${cel(NODE_CLAIM)} in request.userInfo.extra ? request.userInfo.extra[${cel(NODE_CLAIM)}] : []`,
};

const orEmpty = (name: string, field: string): NamedExpression => ({
  name,
  expression: `has(${field}) ? ${field} : {}`,
});

const NODE_VARIABLES: readonly NamedExpression[] = [
  OWN_NODE,
  orEmpty("labels", "object.metadata.labels"),
  orEmpty("oldLabels", "oldObject.metadata.labels"),
  orEmpty("annotations", "object.metadata.annotations"),
  orEmpty("oldAnnotations", "oldObject.metadata.annotations"),
  orEmpty("status", "object.status"),
  orEmpty("oldStatus", "oldObject.status"),
  orEmpty("capacity", "object.status.capacity"),
  orEmpty("oldCapacity", "oldObject.status.capacity"),
];

/**
 * That both maps are equal but for `except`. `dyn` keeps the API server's type checker from taking an object for a
 * message of fixed fields: that way a field of a later Kubernetes version is guarded too.
 */
function onlyDiffersIn(except: readonly string[], now: string, before: string): string {
  const names = cel(except);
  return (
    `dyn(${now}).all(k, k in ${names} || (k in dyn(${before}) && dyn(${now})[k] == dyn(${before})[k])) && ` +
    `dyn(${before}).all(k, k in ${names} || k in dyn(${now}))`
  );
}

const NODE_VALIDATIONS: readonly Narrowed[] = [
  [
    'request.operation == "UPDATE" && has(request.subResource) && request.subResource == "status"',
    "node-status writes the status of nodes and nothing else of them",
  ],
  ["variables.ownNode == [request.name]", "node-status writes only the node to which its own token is bound"],
  [
    onlyDiffersIn(["metadata", "status"], "object", "oldObject"),
    "node-status writes only a node's metadata and status",
  ],
  [
    onlyDiffersIn(["labels", "annotations", "managedFields"], "object.metadata", "oldObject.metadata"),
    "node-status writes only labels and annotations of a node's metadata",
  ],
  [
    onlyDiffersIn(OWN_LABELS, "variables.labels", "variables.oldLabels"),
    `node-status writes only the labels ${OWN_LABELS.join(", ")}`,
  ],
  [
    onlyDiffersIn([COUNTERS_ANNOTATION], "variables.annotations", "variables.oldAnnotations"),
    `node-status writes only the annotation ${COUNTERS_ANNOTATION}`,
  ],
  [
    onlyDiffersIn(["capacity"], "variables.status", "variables.oldStatus"),
    "node-status writes only the capacity of a node's status",
  ],
  [
    onlyDiffersIn(COUNTER_RESOURCES, "variables.capacity", "variables.oldCapacity"),
    `node-status writes only the capacity of ${COUNTER_RESOURCES.join(", ")}`,
  ],
];

const isOwn = (object: string) =>
  `has(${object}.involvedObject.kind) && ${object}.involvedObject.kind == "Node" && ` +
  `has(${object}.involvedObject.name) && variables.ownNode == [${object}.involvedObject.name]`;

const isFromUs = (object: string) =>
  `has(${object}.reportingComponent) && ${object}.reportingComponent == ${cel(EVENT_COMPONENT)} && ` +
  `has(${object}.source) && has(${object}.source.component) && ${object}.source.component == ${cel(EVENT_COMPONENT)}`;

const EVENT_VALIDATIONS: readonly Narrowed[] = [
  ['request.operation in ["CREATE", "UPDATE"]', "node-status creates and counts events and does nothing else to them"],
  [
    `request.operation == "DELETE" || (${isOwn("object")} && (request.operation == "CREATE" || (${isOwn("oldObject")})))`,
    "node-status writes only events about the node to which its own token is bound",
  ],
  [
    // What the kubelet says about its node is nobody else's to write, or to write over.
    `request.operation == "DELETE" || (${isFromUs("object")} && (request.operation == "CREATE" || (${isFromUs("oldObject")})))`,
    `node-status writes only events of ${EVENT_COMPONENT}`,
  ],
  [
    'request.operation == "DELETE" || !(has(object.metadata.finalizers) || has(object.metadata.ownerReferences) || has(object.related))',
    "node-status writes events that belong to nothing else and end by themselves",
  ],
];

/**
 * Narrows what RBAC has to grant for all nodes down to what `node-status` does: on the status of the node to which its
 * own token is bound, our labels, our annotation and our capacity counters; events about that node alone, under our own
 * name. Needs Kubernetes 1.32 (the token says its node from then on).
 */
export const nodeStatusPolicies = [
  ...narrowed("node-status", "nodes", NODE_VARIABLES, NODE_VALIDATIONS),
  ...narrowed("node-events", "events", [OWN_NODE], EVENT_VALIDATIONS),
];

function narrowed(
  suffix: string,
  resource: string,
  variables: readonly NamedExpression[],
  validations: readonly Narrowed[],
) {
  const resources = [resource, `${resource}/*`];
  const requests = { apiGroups: [""], apiVersions: ["*"], operations: ["*"], resources, scope: "*" } as const;
  return narrowingPolicy({
    serviceAccount: PLUGIN_NAME,
    suffix,
    who: "node-status",
    requests,
    variables,
    validations,
  });
}
