import assert from "node:assert/strict";
import { test } from "node:test";
import type { ValidatingAdmissionPolicy } from "../admission-policy.ts";
import type { Deployment } from "../deployment.ts";
import type { Role } from "../kubernetes-object.ts";
import type { Service } from "../service.ts";
import { RenderedTemplates } from "../testing/rendered-templates.ts";
import type { MutatingWebhookConfiguration } from "./webhook-configuration.ts";
import { webhookTemplates } from "./webhook-templates.ts";

const rendered = new RenderedTemplates(webhookTemplates);
const kinds = (given?: unknown) => rendered.all(given).map(({ kind }) => kind);
const entries = (given?: unknown) =>
  rendered.one<MutatingWebhookConfiguration>("MutatingWebhookConfiguration", given).webhooks;

test("its objects, rights before who uses them, the configuration when there is somebody to answer", () => {
  assert.deepEqual(kinds(), [
    "ServiceAccount",
    "Secret",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
    "Service",
    "PodDisruptionBudget",
    "Deployment",
    "MutatingWebhookConfiguration",
  ]);
});

test("a disruption budget only where there is a second replica", () => {
  assert.equal(kinds({ webhook: { replicas: 1 } }).includes("PodDisruptionBudget"), false);
  assert.equal(kinds({ webhook: { replicas: 3 } }).includes("PodDisruptionBudget"), true);
});

test("it may change its Secret and its configuration, by name, and create nothing", () => {
  const rules = (kind: string) => rendered.one<Role>(kind).rules;
  assert.deepEqual(rules("Role"), [
    { apiGroups: [""], resources: ["secrets"], resourceNames: ["sgx-webhook-authority"], verbs: ["get", "update"] },
  ]);
  assert.deepEqual(rules("ClusterRole"), [
    {
      apiGroups: ["admissionregistration.k8s.io"],
      resources: ["mutatingwebhookconfigurations"],
      resourceNames: ["sgx-webhook"],
      verbs: ["get", "patch"],
    },
  ]);
});

test("of its configuration it may change the caBundle alone: every other field that we write is compared", () => {
  const { spec } = rendered.one<ValidatingAdmissionPolicy>("ValidatingAdmissionPolicy", { namespace: "sgx" });
  const [condition] = spec.matchConditions ?? [];
  assert.equal(condition?.expression, 'request.userInfo.username == "system:serviceaccount:sgx:sgx-webhook"');
  const compared = spec.validations.map(({ expression }) => /map\(w, w\.\??(\S+)\) == oldObject/.exec(expression)?.[1]);
  const [entry] = entries();
  for (const field of Object.keys({ ...entry, objectSelector: {} })) {
    const wanted = field === "clientConfig" ? ["clientConfig.?url", "clientConfig.?service"] : [field];
    for (const one of wanted) assert.ok(compared.includes(one), one);
  }
});

test("the Secret says nothing of its content, and neither does the configuration of a CA", () => {
  assert.deepEqual(Object.keys(rendered.one("Secret")).sort(), ["apiVersion", "kind", "metadata", "type"]);
  for (const { clientConfig } of entries()) assert.deepEqual(Object.keys(clientConfig), ["service"]);
});

test("a namespace gets slots unless its label says mount or disabled", () => {
  const name = { key: "kubernetes.io/metadata.name", operator: "NotIn", values: ["kube-system", "sgx"] };
  const key = "sgx.confcom.dev/quote-injection";
  assert.deepEqual(
    entries({ namespace: "sgx" }).map(({ name, clientConfig, namespaceSelector }) => [
      name,
      clientConfig.service,
      namespaceSelector.matchExpressions,
    ]),
    [
      [
        "slot.sgx-webhook.confcom.dev",
        { name: "sgx-webhook", namespace: "sgx", path: "/mutate/slot", port: 443 },
        [name, { key, operator: "NotIn", values: ["mount", "disabled"] }],
      ],
      [
        "mount.sgx-webhook.confcom.dev",
        { name: "sgx-webhook", namespace: "sgx", path: "/mutate/mount", port: 443 },
        [name, { key, operator: "In", values: ["mount"] }],
      ],
    ],
  );
});

test("pods can be created without it, and those without anything of SGX never wait for it", () => {
  for (const entry of entries()) {
    assert.equal(entry.failurePolicy, "Ignore");
    assert.ok(entry.timeoutSeconds <= 5);
    assert.equal(entry.reinvocationPolicy, "IfNeeded");
    const [condition] = entry.matchConditions;
    for (const name of [
      "kubernetes.azure.com/sgx_epc_mem_in_MiB",
      "sgx.intel.com/epc",
      "sgx.intel.com/enclave",
      "sgx.intel.com/provision",
      "sgx.confcom.dev/quote",
      "SGX_AESM_ADDR",
      "sgx.intel.com/quote-provider",
      "sgx.confcom.dev/quote-provider",
    ]) {
      assert.ok(condition?.expression.includes(JSON.stringify(name)), name);
    }
  }
});

test("an update takes nobody away before the successor is ready, and who leaves answers for a while", () => {
  const { spec } = rendered.one<Deployment>("Deployment", { webhook: { replicas: 3 } });
  assert.equal(spec.replicas, 3);
  assert.deepEqual(spec.strategy, { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } });
  const [container] = spec.template.spec.containers;
  const leaving = container?.lifecycle?.preStop.sleep.seconds ?? 0;
  assert.ok(leaving > 0);
  assert.ok(spec.template.spec.terminationGracePeriodSeconds - leaving > 5, "longer than an entry's timeout");
});

test("the Service leads to the port that the container names", () => {
  const { ports } = rendered.one<Service>("Service").spec;
  assert.deepEqual(ports, [{ name: "https", protocol: "TCP", port: 443, targetPort: "webhook" }]);
  const [container] = rendered.one<Deployment>("Deployment").spec.template.spec.containers;
  assert.equal(container?.ports?.find(({ name }) => name === "webhook")?.containerPort, 9443);
});

test("values arrive in the arguments", () => {
  const given = {
    namespace: "sgx",
    resourceNames: "intel",
    mode: "counter",
    listenAddress: "[::]",
    quoteHelper: { socketDirectory: "/run/other" },
    logLevel: "debug",
  };
  const [container] = rendered.one<Deployment>("Deployment", given).spec.template.spec.containers;
  assert.deepEqual(container?.args, [
    "webhook",
    "--listen=[::]:9443",
    "--health-listen=[::]:9104",
    "--namespace=sgx",
    "--resource-names=intel",
    "--mode=counter",
    "--aesm-directory=/run/other",
    "--log-level=debug",
  ]);
});

test("it has a short-lived token and no other right on its node", () => {
  const { spec } = rendered.one<Deployment>("Deployment").spec.template;
  assert.equal(spec.automountServiceAccountToken, false);
  assert.deepEqual(
    spec.volumes.map(({ projected }) => projected?.sources[0]),
    [{ serviceAccountToken: { path: "token", expirationSeconds: 3600 } }],
  );
  for (const { securityContext } of spec.containers) {
    assert.equal(securityContext.runAsUser, 65532);
    assert.equal(securityContext.readOnlyRootFilesystem, true);
    assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
  }
});
