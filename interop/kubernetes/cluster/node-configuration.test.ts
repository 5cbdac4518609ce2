import assert from "node:assert/strict";
import { test } from "node:test";
import { kubeletArguments, type NodePlan, nodeFiles } from "./node-configuration.ts";

const PLAN: NodePlan = {
  options: { name: "sgx-1", labels: { "example.com/a": "b", c: "d" } },
  address: "10.10.0.11",
  podRange: "10.244.1.0/24",
  cgroupRoot: "/confcom-dev-x/sgx-1",
  dns: true,
};

function json(file: string): Record<string, unknown> {
  return JSON.parse(nodeFiles(PLAN)[file] ?? "") as Record<string, unknown>;
}

test("the kubelet runs on cgroup v1, below its own cgroup root, and asks the API server who may speak to it", () => {
  const kubelet = json("kubelet.yaml");
  assert.equal(kubelet.cgroupRoot, "/confcom-dev-x/sgx-1");
  assert.equal(kubelet.cgroupDriver, "cgroupfs");
  assert.equal(kubelet.failCgroupV1, false);
  assert.deepEqual(kubelet.authorization, { mode: "Webhook" });
  assert.deepEqual((kubelet.authentication as { anonymous: object }).anonymous, { enabled: false });
});

test("kube-proxy leaves the kernel's connection tracking alone", () => {
  assert.deepEqual(json("kube-proxy.yaml").conntrack, {
    maxPerCore: 0,
    min: 0,
    tcpEstablishedTimeout: "0s",
    tcpCloseWaitTimeout: "0s",
  });
});

test("pods get addresses of their node's range", () => {
  const [bridge] = json("cni/10-bridge.conflist").plugins as { ipam: { ranges: unknown } }[];
  assert.deepEqual(bridge?.ipam.ranges, [[{ subnet: "10.244.1.0/24" }]]);
});

test("containerd holds pods with the project's own pause image and lowers nobody's OOM score", () => {
  const text = nodeFiles(PLAN)["containerd.toml"] ?? "";
  assert.match(text, /sandbox_image = "localhost\/pause:1"/);
  assert.match(text, /restrict_oom_score_adj = true/);
});

test("labels are the kubelet's to set when it registers", () => {
  assert.ok(kubeletArguments(PLAN).args.includes("--node-labels=example.com/a=b,c=d"));
  const plain = { ...PLAN, options: { name: "plain-1" } };
  assert.ok(!kubeletArguments(plain).args.some((argument) => argument.startsWith("--node-labels")));
});

test("pods are told the cluster's DNS server, and none where there is none", () => {
  assert.deepEqual(json("kubelet.yaml").clusterDNS, ["10.96.0.10"]);
  const kubelet = JSON.parse(nodeFiles({ ...PLAN, dns: false })["kubelet.yaml"] ?? "") as Record<string, unknown>;
  assert.equal("clusterDNS" in kubelet, false);
});
