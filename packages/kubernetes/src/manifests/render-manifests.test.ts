import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import {
  AZURE_EPC_RESOURCE,
  CAPABLE_LABEL,
  ENCLAVE_RESOURCE,
  INTEL_EPC_RESOURCE,
  PROVISION_RESOURCE,
} from "../names.ts";
import type { Container, DaemonSet, KubernetesObject, Role } from "./kubernetes-object.ts";
import { manifestYaml } from "./manifest-yaml.ts";
import { MANIFEST_PARTS, type ManifestPart } from "./object-template.ts";
import { renderManifests } from "./render-manifests.ts";
import { manifestValues } from "./values.ts";

const VERSION = "0.1.0";
/** Plugin and helper alone. */
const TWO_PARTS = { webhook: { enabled: false }, policies: { enabled: false }, pccs: { enabled: false } };
const render = (given: object = {}, only?: ManifestPart) =>
  renderManifests(manifestValues({ ...TWO_PARTS, ...given }), { version: VERSION, only });

function find<T extends KubernetesObject>(objects: readonly KubernetesObject[], kind: string, name: string): T {
  const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
  assert.ok(found, `there is no ${kind} ${name}`);
  return found as T;
}

const plugin = (given?: object) => find<DaemonSet>(render(given), "DaemonSet", "sgx-plugin").spec.template.spec;
const helper = (given?: object) => find<DaemonSet>(render(given), "DaemonSet", "sgx-quote-helper").spec.template.spec;

function container(pod: { containers: readonly Container[]; initContainers?: readonly Container[] }, name: string) {
  const found = [...pod.containers, ...(pod.initContainers ?? [])].find((one) => one.name === name);
  assert.ok(found, `there is no container ${name}`);
  return found;
}

const names = (objects: readonly KubernetesObject[]) => objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);

test("the objects of an installation: rights come before who uses them, policies before rights", () => {
  assert.deepEqual(names(render()), [
    "ServiceAccount sgx-plugin",
    "ValidatingAdmissionPolicy sgx-plugin-node-status",
    "ValidatingAdmissionPolicyBinding sgx-plugin-node-status",
    "ValidatingAdmissionPolicy sgx-plugin-node-events",
    "ValidatingAdmissionPolicyBinding sgx-plugin-node-events",
    "ClusterRole sgx-plugin",
    "ClusterRoleBinding sgx-plugin",
    "Role sgx-plugin-events",
    "RoleBinding sgx-plugin-events",
    "ServiceAccount sgx-quote-helper",
    "DaemonSet sgx-plugin",
    "DaemonSet sgx-quote-helper",
  ]);
});

test("webhook, policies and PCCS are there where they are enabled; a PCCS elsewhere is not deployed", () => {
  const parts = (given: object) =>
    new Set(
      renderManifests(manifestValues(given), { version: VERSION }).map(({ metadata }) => metadata.labels?.app ?? ""),
    );
  const two = ["sgx-plugin", "sgx-quote-helper"];
  assert.deepEqual([...parts({})].sort(), ["sgx-pccs", ...two, "sgx-webhook", "sgx-policies"].sort());
  assert.deepEqual([...parts({ pccs: { url: "https://p" } })].sort(), [...two, "sgx-webhook", "sgx-policies"].sort());
  assert.deepEqual([...parts(TWO_PARTS)].sort(), two);
  for (const part of MANIFEST_PARTS) {
    const only = renderManifests(manifestValues(TWO_PARTS), { version: VERSION, only: part });
    const app = part === "policies" ? "sgx-policies" : `sgx-${part}`;
    assert.ok(only.length > 0, part);
    for (const { metadata } of only) assert.equal(metadata.labels?.app, app);
  }
});

test("one part alone; the helper is left out where it is not enabled, unless asked for", () => {
  const off = { quoteHelper: { enabled: false } };
  const helperObjects = ["ServiceAccount sgx-quote-helper", "DaemonSet sgx-quote-helper"];
  assert.deepEqual(names(render({}, "quote-helper")), helperObjects);
  assert.deepEqual(names(render(off, "quote-helper")), helperObjects);
  assert.equal(
    names(render(off)).some((name) => name.includes("quote-helper")),
    false,
  );
  assert.deepEqual(names(render({}, "plugin")), names(render(off)));
});

test("everything is labelled as one thing, and lives in the namespace asked for or in none", () => {
  const objects = render({ namespace: "sgx", createNamespace: true });
  assert.equal(names(objects)[0], "Namespace sgx");
  for (const { kind, metadata } of objects) {
    assert.equal(metadata.labels?.["app.kubernetes.io/part-of"], "confcom", kind);
    const events = metadata.name === "sgx-plugin-events";
    if (metadata.namespace !== undefined) assert.equal(metadata.namespace, events ? "default" : "sgx", kind);
  }
});

test("no token comes by itself; node-status alone mounts one, bound to the pod, and may get and patch", () => {
  for (const pod of [plugin(), helper()]) assert.equal(pod.automountServiceAccountToken, false);
  const source = plugin().volumes.find(({ projected }) => projected !== undefined);
  assert.deepEqual(source?.projected?.sources[0], { serviceAccountToken: { path: "token", expirationSeconds: 3600 } });
  const mounting = [...plugin().containers, ...helper().containers].filter(({ volumeMounts }) =>
    volumeMounts.some(({ name }) => name === source?.name),
  );
  assert.deepEqual(
    mounting.map(({ name }) => name),
    ["node-status"],
  );
  assert.deepEqual(find<Role>(render(), "ClusterRole", "sgx-plugin").rules, [
    { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
    { apiGroups: [""], resources: ["nodes/status"], verbs: ["patch"] },
  ]);
});

test("no container has a capability, a writable root or a way to more rights; only the cpuid init container is privileged", () => {
  const all = { cpuidInit: true, miscCapacityFile: "/sys/fs/cgroup/misc.capacity" };
  const pods = [plugin(all), helper(all)];
  for (const one of pods.flatMap(({ containers }) => containers)) {
    const { capabilities, allowPrivilegeEscalation, readOnlyRootFilesystem, seccompProfile, privileged } =
      one.securityContext;
    assert.deepEqual(capabilities, { drop: ["ALL"] }, one.name);
    assert.deepEqual(
      [allowPrivilegeEscalation, readOnlyRootFilesystem, privileged, seccompProfile?.type],
      [false, true, undefined, "RuntimeDefault"],
      one.name,
    );
  }
  assert.equal(container(pods[0] as never, "cpuid").securityContext.privileged, true);
  assert.equal(plugin().initContainers, undefined);
  assert.equal(container(plugin(), "node-status").securityContext.runAsNonRoot, true);
});

test("the plugin can write to the kubelet's plugin directory alone", () => {
  const all = { cpuidInit: true, miscCapacityFile: "/sys/fs/cgroup/misc.capacity" };
  const writable = container(plugin(all), "sgx-plugin").volumeMounts.filter(({ readOnly }) => readOnly !== true);
  assert.deepEqual(writable, [{ name: "device-plugins", mountPath: "/var/lib/kubelet/device-plugins" }]);
});

test("what the plugin sees of the host is read-only with all that is mounted below it, where the runtime can", () => {
  const { volumeMounts } = container(plugin({ miscCapacityFile: "/m" }), "sgx-plugin");
  const readOnly = volumeMounts.filter((mount) => mount.readOnly === true);
  assert.deepEqual(
    readOnly.map(({ recursiveReadOnly }) => recursiveReadOnly),
    readOnly.map(() => "IfPossible"),
  );
  assert.equal(readOnly.length, volumeMounts.length - 1);
});

test("every mount has its volume, every volume is mounted", () => {
  for (const given of [{}, { cpuidInit: true, miscCapacityFile: "/m", sysfsNodeDirectory: "/fixture" }]) {
    for (const pod of [plugin(given), helper(given)]) {
      const mounted = [...pod.containers, ...(pod.initContainers ?? [])].flatMap(({ volumeMounts }) =>
        volumeMounts.map(({ name }) => name),
      );
      assert.deepEqual([...new Set(mounted)].sort(), pod.volumes.map(({ name }) => name).sort());
    }
  }
});

test("where the host's EPC is shown is a value", () => {
  const source = (given: object) => plugin(given).volumes.find(({ name }) => name === "sysfs-node")?.hostPath?.path;
  assert.equal(source({}), "/sys/devices/system/node");
  assert.equal(source({ sysfsNodeDirectory: "/fixture/node" }), "/fixture/node");
  assert.equal(source({ sysfsNodeDirectory: null }), undefined);
});

test("the helper asks for EPC under the node's name, for provisioning, and for the enclave device where EPC may give none", () => {
  const sgx = (given: object) => {
    const { requests, limits } = container(helper(given), "sgx-quote-helper").resources;
    const own = (map = {}) => Object.fromEntries(Object.entries(map).filter(([name]) => name.includes("/")));
    assert.deepEqual(own(requests), own(limits), "extended resources cannot be overcommitted");
    return own(requests);
  };
  const provision = { [PROVISION_RESOURCE]: "1" };
  const enclave = { [ENCLAVE_RESOURCE]: "1" };
  assert.deepEqual(sgx({}), { [AZURE_EPC_RESOURCE]: "10", ...enclave, ...provision });
  assert.deepEqual(sgx({ mode: "device" }), { [AZURE_EPC_RESOURCE]: "10", ...provision });
  assert.deepEqual(sgx({ mode: "counter" }), { [AZURE_EPC_RESOURCE]: "10", ...enclave, ...provision });
  assert.deepEqual(sgx({ resourceNames: "intel", quoteHelper: { epcMiB: 2 } }), {
    [INTEL_EPC_RESOURCE]: "2097152",
    ...enclave,
    ...provision,
  });
});

test("the helper runs on labelled nodes, before applications, one at a time, and is asked each second whether it serves", () => {
  const daemonSet = find<DaemonSet>(render(), "DaemonSet", "sgx-quote-helper");
  const pod = daemonSet.spec.template.spec;
  assert.equal(pod.nodeSelector[CAPABLE_LABEL], "true");
  assert.equal(pod.priorityClassName, "system-node-critical");
  assert.deepEqual(daemonSet.spec.updateStrategy.rollingUpdate, { maxUnavailable: 1, maxSurge: 0 });
  const { readinessProbe } = container(pod, "sgx-quote-helper");
  assert.deepEqual([readinessProbe?.httpGet.path, readinessProbe?.periodSeconds], ["/readyz", 1]);
});

test("the plugin runs on every Linux node, SGX or not; its successor is there before it leaves", () => {
  const { rollingUpdate } = find<DaemonSet>(render(), "DaemonSet", "sgx-plugin").spec.updateStrategy;
  assert.deepEqual(rollingUpdate, { maxUnavailable: 0, maxSurge: 1 });
  assert.deepEqual(plugin().nodeSelector, { "kubernetes.io/os": "linux" });
  assert.deepEqual(plugin({ nodeSelector: { pool: "sgx" } }).nodeSelector, {
    pool: "sgx",
    "kubernetes.io/os": "linux",
  });
});

test("where the cluster has one root, the helper registers at its PCCS, and waits for what it is to trust", () => {
  const pod = helper({ pccs: { enabled: true } });
  const { args, volumeMounts } = container(pod, "sgx-quote-helper");
  assert.deepEqual(
    args.filter((argument) => argument.startsWith("--pccs")),
    [
      "--pccs=https://sgx-pccs.kube-system.svc:8081",
      "--pccs-root=/etc/confcom/trust/root-ca.pem",
      "--pccs-ca=/etc/confcom/trust/pccs-ca.pem",
      "--pccs-user-token-file=/etc/confcom/trust/user-token",
    ],
  );
  assert.deepEqual(volumeMounts.at(-1), { name: "trust", mountPath: "/etc/confcom/trust", readOnly: true });
  assert.equal(pod.dnsPolicy, "ClusterFirst");
  const trust = (values: object) => helper(values).volumes.at(-1)?.projected?.sources;
  const sources = (configMap: string, secret: string) => [
    {
      configMap: {
        name: configMap,
        items: [
          { key: "root-ca.pem", path: "root-ca.pem" },
          { key: "pccs-ca.pem", path: "pccs-ca.pem" },
        ],
      },
    },
    { secret: { name: secret, items: [{ key: "user-token", path: "user-token" }] } },
  ];
  const names = { trustConfigMap: "roots", userTokenSecret: "token" };
  assert.deepEqual(trust({ pccs: { enabled: true } }), sources("sgx-quote-root", "sgx-pccs-user-token"));
  assert.deepEqual(trust({ pccs: { ...names, enabled: true } }), sources("sgx-quote-root", "sgx-pccs-user-token"));
  const elsewhere = { pccs: { ...names, enabled: true, url: "https://pccs.example:8081" } };
  assert.deepEqual(trust(elsewhere), sources("roots", "token"));
  assert.ok(container(helper(elsewhere), "sgx-quote-helper").args.includes("--pccs=https://pccs.example:8081"));
  assert.equal(helper().dnsPolicy, "Default");
});

test("own labels cannot be taken away by values: the selector would find nobody", () => {
  const { selector, template } = find<DaemonSet>(
    render({ podLabels: { app: "x", team: "y" } }),
    "DaemonSet",
    "sgx-plugin",
  ).spec;
  assert.equal(template.metadata.labels.app, selector.matchLabels.app);
  assert.equal(template.metadata.labels.team, "y");
});

test("values arrive in the arguments", () => {
  const { args } = container(
    plugin({
      resourceNames: "azure",
      mode: "device",
      slots: { quote: 5 },
      provisionWithEpc: true,
      numa: true,
      cpuidInit: true,
      epcMiB: 64,
      listenAddress: "[::]",
    }),
    "sgx-plugin",
  );
  for (const argument of [
    "--mode=device",
    "--quote-slots=5",
    "--provision-with-epc",
    "--numa",
    "--cpuid-from=/run/confcom/cpuid.json",
    "--epc-mib=64",
    "--listen=[::]:9101",
  ]) {
    assert.ok(args.includes(argument), argument);
  }
});

test("YAML comes back as the same objects, also through a reader of YAML 1.1, and text that looks like something else is quoted", () => {
  const objects = render({
    podLabels: { a: "1", b: "on", c: "y", d: "1_000", e: "0x1F", f: "no", N: "null", on: "1.0" },
    podAnnotations: { time: "12:30:45", date: "2026-01-01", text: "a: b # c" },
  });
  for (const version of ["1.1", "1.2"] as const) {
    const read = parseAllDocuments(manifestYaml(objects), { version }).map((document) => document.toJS());
    assert.deepEqual(read, JSON.parse(JSON.stringify(objects)), version);
  }
});
