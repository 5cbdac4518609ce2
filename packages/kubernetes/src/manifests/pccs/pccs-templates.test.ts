import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "../deployment.ts";
import type { Container, Role } from "../kubernetes-object.ts";
import { RenderedTemplates } from "../testing/rendered-templates.ts";
import { type PersistentVolumeClaim, pccsTemplates } from "./pccs-templates.ts";

const rendered = new RenderedTemplates(pccsTemplates);
const names = (given?: unknown) => rendered.all(given).map(({ kind, metadata }) => `${kind} ${metadata.name}`);
const pod = (given?: unknown) => rendered.one<Deployment>("Deployment", given).spec.template.spec;
const all = (given?: unknown): readonly Container[] => [...(pod(given).initContainers ?? []), ...pod(given).containers];
const HOST_PATH = { pccs: { storage: { hostPath: "/srv/pccs" }, nodeSelector: { "kubernetes.io/hostname": "n" } } };

test("its objects, rights before who uses them, storage before who mounts it", () => {
  assert.deepEqual(names(), [
    "ServiceAccount sgx-pccs",
    "ConfigMap sgx-quote-root",
    "Secret sgx-pccs-user-token",
    "ValidatingAdmissionPolicy sgx-pccs-trust",
    "ValidatingAdmissionPolicyBinding sgx-pccs-trust",
    "Role sgx-pccs",
    "RoleBinding sgx-pccs",
    "Service sgx-pccs",
    "PersistentVolumeClaim sgx-pccs",
    "Deployment sgx-pccs",
  ]);
});

test("what is published in the cluster is there empty, and may be filled in and made again, by name", () => {
  assert.deepEqual(Object.keys(rendered.one("ConfigMap")).sort(), ["apiVersion", "kind", "metadata"]);
  assert.deepEqual(Object.keys(rendered.one("Secret")).sort(), ["apiVersion", "kind", "metadata", "type"]);
  assert.deepEqual(rendered.one<Role>("Role").rules, [
    {
      apiGroups: [""],
      resources: ["configmaps"],
      resourceNames: ["sgx-quote-root"],
      verbs: ["get", "patch", "create"],
    },
    {
      apiGroups: [""],
      resources: ["secrets"],
      resourceNames: ["sgx-pccs-user-token"],
      verbs: ["get", "patch", "create"],
    },
  ]);
});

test("pccs-trust alone has a token", () => {
  const mounting = all().filter(({ volumeMounts }) => volumeMounts.some(({ name }) => name === "pccs-trust-token"));
  assert.deepEqual(
    mounting.map(({ name }) => name),
    ["pccs-trust"],
  );
  assert.equal(pod().automountServiceAccountToken, false);
});

test("one pod at a time, and the next only when it has gone: the state is one process's", () => {
  const { replicas, strategy } = rendered.one<Deployment>("Deployment").spec;
  assert.deepEqual([replicas, strategy], [1, { type: "Recreate" }]);
});

test("the three containers are one user; in a claim an unprivileged one, whose group the volume gets", () => {
  assert.deepEqual(
    all().map(({ name, securityContext }) => [name, securityContext.runAsUser]),
    [
      ["pccs-prepare", 65532],
      ["pccs", 65532],
      ["pccs-trust", 65532],
    ],
  );
  assert.deepEqual(pod().securityContext, { fsGroup: 65532, fsGroupChangePolicy: "OnRootMismatch" });
});

test("in a directory of a node, which is root's, they are root without a capability", () => {
  for (const { securityContext } of all(HOST_PATH)) {
    assert.equal(securityContext.runAsUser, 0);
    assert.equal(securityContext.runAsNonRoot, undefined);
  }
  for (const given of [{}, HOST_PATH]) {
    for (const { securityContext } of all(given)) {
      assert.deepEqual(securityContext.capabilities, { drop: ["ALL"] });
      assert.equal(securityContext.allowPrivilegeEscalation, false);
      assert.equal(securityContext.readOnlyRootFilesystem, true);
    }
  }
});

test("a claim, or a directory of the node that pccs.nodeSelector names", () => {
  const state = (given?: unknown) => pod(given).volumes.find(({ name }) => name === "state");
  assert.deepEqual(state(), { name: "state", persistentVolumeClaim: { claimName: "sgx-pccs" } });
  assert.deepEqual(state(HOST_PATH), { name: "state", hostPath: { path: "/srv/pccs", type: "DirectoryOrCreate" } });
  assert.equal(names(HOST_PATH).includes("PersistentVolumeClaim sgx-pccs"), false);
  assert.deepEqual(pod(HOST_PATH).nodeSelector, { "kubernetes.io/hostname": "n", "kubernetes.io/os": "linux" });
});

test("the claim has the class asked for, or leaves it to the cluster", () => {
  const spec = (storage: object) =>
    rendered.one<PersistentVolumeClaim>("PersistentVolumeClaim", { pccs: { storage } }).spec;
  assert.deepEqual(spec({}), { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } });
  assert.equal(spec({ className: "fast" }).storageClassName, "fast");
  assert.equal(spec({ size: "5Gi" }).resources.requests.storage, "5Gi");
});

test("values arrive in the arguments; the server's certificate is for the Service's names", () => {
  const args = (name: string) =>
    all({ namespace: "sgx", listenAddress: "[::]", pccs: { upstream: "intel" } }).find((one) => one.name === name)
      ?.args;
  assert.deepEqual(args("pccs-prepare"), [
    "pccs",
    "prepare",
    "--state=/var/lib/sgx-pccs/state",
    "--dns-name=sgx-pccs.sgx.svc",
    "--dns-name=sgx-pccs.sgx",
    "--dns-name=sgx-pccs",
  ]);
  for (const argument of ["--upstream=intel", "--listen=[::]:8081", "--health-listen=[::]:9105", "--follow-files"]) {
    assert.ok(args("pccs")?.includes(argument), argument);
  }
  for (const argument of ["--namespace=sgx", "--upstream=intel", "--listen=[::]:9106", "--config-map=sgx-quote-root"]) {
    assert.ok(args("pccs-trust")?.includes(argument), argument);
  }
});

test("every mount has its volume, every volume is mounted", () => {
  for (const given of [{}, HOST_PATH]) {
    const mounted = all(given).flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name));
    assert.deepEqual(
      [...new Set(mounted)].sort(),
      pod(given)
        .volumes.map(({ name }) => name)
        .sort(),
    );
  }
});
