import { QUOTE_HELPER_NAME } from "@confcom/kubernetes";
import { type Check, expect, expectEqual } from "../../check.ts";
import { sampleJob } from "../samples.ts";
import type { ClusterScene } from "../scene.ts";
import { NAMESPACE, PLAIN_NODE } from "../scene-names.ts";
import { addonCommand, expectDone, withoutTheAddon } from "../workload/addon-command.ts";
import { runSuccessfulJob } from "../workload/job-run.ts";
import { podManifest } from "../workload/pod-manifest.ts";

const LIMIT = 60_000;

/** What `addon enable -o json` says about itself. */
interface EnableResult {
  readonly confcom: {
    readonly seconds: number;
    readonly objects: Readonly<Record<string, number>>;
    readonly steps: readonly { readonly step: string; readonly seconds: number }[];
  };
}

export const addonEnable: readonly Check<ClusterScene>[] = [
  {
    name: "addon: one command on an empty cluster, then a quote that another pod verifies under the cluster's root",
    deadline: 300_000,
    async run(scene) {
      await scene.up();
      await withoutTheAddon(scene);
      const began = performance.now();
      const args = ["enable", "--enable-sgxquotehelper", "--values", scene.valuesFile()];
      const enabled = expectDone(await addonCommand(scene, args), "enable");
      const { confcom } = JSON.parse(enabled.stdout) as EnableResult;
      const commandMs = performance.now() - began;
      const namespace = scene.applications;
      const name = scene.fresh("attests");
      const job = await sampleJob("remote-attestation/job-quote-slot.yaml", { name, namespace });
      const attested = await runSuccessfulJob(scene, job, LIMIT);
      const verified = await verifiedUnderTheRoot(scene, attested.log);
      const total = (performance.now() - began) / 1000;
      scene.figures["addon enable"] = { seconds: confcom.seconds, steps: confcom.steps, quoteMs: attested.ms, total };
      const steps = confcom.steps.map(({ step, seconds }) => `${step} ${seconds} s`).join(", ");
      return `${total.toFixed(1)} s: command ${(commandMs / 1000).toFixed(1)} s (${confcom.objects.created} objects; ${steps}), quote ${(attested.ms / 1000).toFixed(1)} s; ${verified}`;
    },
  },
  {
    name: "addon: list, show and kubectl confcom as az prints them; enabling twice is refused with az's words",
    deadline: 120_000,
    async run(scene) {
      await scene.withAddon();
      const listed = expectDone(await scene.confcom(["addon", "list"]), "list").stdout;
      const addons = [{ api_key: "ACCSGXDevicePlugin", enabled: true, name: "confcom" }];
      expectEqual(listed, `${JSON.stringify(addons, undefined, 2)}\n`, "addon list");
      const shown = expectDone(await scene.kubectlConfcom(["show", "-a", "confcom"]), "kubectl confcom show").stdout;
      const config = { ACCSGXQuoteHelperEnabled: "true" };
      const expected = { api_key: "ACCSGXDevicePlugin", config, identity: null, name: "confcom" };
      expectEqual(shown, `${JSON.stringify(expected, undefined, 2)}\n`, "kubectl confcom show");
      const twice = await scene.confcom(["enable-addons", "-a", "confcom", "-g", "group"]);
      expectEqual(twice.status, 1, "exit status of enabling twice");
      const [first, second] = twice.stderr.split("\n").filter((line) => !/ s {2}/.test(line));
      expectEqual(first, "ERROR: The confcom addon is already enabled for this managed cluster.", "error");
      expect(
        /^To change confcom configuration, run "confcom disable-addons -a confcom -g group"/.test(second ?? ""),
        second ?? "",
      );
      return `${JSON.stringify(addons[0])}; twice: exit 1, "${first}"`;
    },
  },
  {
    name: "addon: an image that cannot be pulled is named with its mirror; enable goes on with another",
    deadline: 240_000,
    async run(scene) {
      await withoutTheAddon(scene);
      const mirror = ["--registry", "mirror.invalid/confidential", "--image-pull-secret", "mirror-credentials"];
      const failed = await addonCommand(scene, [
        "enable",
        "--values",
        scene.valuesFile(),
        ...mirror,
        "--timeout",
        "20",
      ]);
      expectEqual(failed.status, 1, "exit status");
      const reason = /ADDON_NOT_READY: (.*)/.exec(failed.stderr)?.[1] ?? failed.stderr;
      expect(/(ErrImagePull|ImagePullBackOff)/.test(reason) && reason.includes("mirror.invalid/confidential/"), reason);
      const { stdout } = await scene.cluster.kubectl(["-n", NAMESPACE, "get", "daemonset", "sgx-plugin", "-o", "json"]);
      const { spec } = (
        JSON.parse(stdout) as { spec: { template: { spec: { imagePullSecrets?: { name: string }[] } } } }
      ).spec.template;
      expectEqual(spec.imagePullSecrets?.[0]?.name, "mirror-credentials", "pull secret of the plugin");
      const args = ["enable", "--enable-sgxquotehelper", "--reset-values", "--values", scene.valuesFile()];
      expectDone(await addonCommand(scene, args), "enable again");
      return reason.slice(0, 200);
    },
  },
  {
    name: "addon: fields that somebody else holds are named, and nothing is changed; --force-conflicts takes them",
    deadline: 180_000,
    async run(scene) {
      await withoutTheAddon(scene);
      const theirs = {
        apiVersion: "rbac.authorization.k8s.io/v1",
        kind: "ClusterRole",
        metadata: { name: "sgx-plugin" },
        rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
      };
      const apply = ["apply", "--server-side", "--field-manager", "somebody", "-f", "-"];
      await scene.cluster.kubectl(apply, { input: JSON.stringify(theirs) });
      const enable = ["enable", "--no-wait", "--values", scene.valuesFile()];
      const refused = await addonCommand(scene, enable);
      expectEqual(refused.status, 76, "exit status");
      expect(
        /ADDON_CONFLICT: .*ClusterRole sgx-plugin \.rules \(held by somebody\)/.test(refused.stderr),
        refused.stderr,
      );
      const sets = (await scene.cluster.kubectl(["-n", NAMESPACE, "get", "daemonsets", "-o", "name"])).stdout;
      expectEqual(sets, "", "DaemonSets after the refusal");
      expectDone(await addonCommand(scene, [...enable, "--force-conflicts"]), "enable --force-conflicts");
      await withoutTheAddon(scene);
      return "ClusterRole sgx-plugin .rules (held by somebody): 76, no object made; forced: enabled";
    },
  },
];

/** A pod on the node without SGX, with nothing but the ConfigMap that the cluster publishes and the quote. */
async function verifiedUnderTheRoot(scene: ClusterScene, log: string): Promise<string> {
  const quote = /^quote: ([A-Za-z0-9+/=]{1000,})$/m.exec(log)?.[1];
  if (quote === undefined) throw new Error(`no quote in the log: ${log.slice(0, 200)}`);
  const root = await scene.api.get<{ data: Record<string, string> }>(
    `/api/v1/namespaces/${NAMESPACE}/configmaps/sgx-quote-root`,
  );
  const { applications: namespace } = scene;
  const name = scene.fresh("verifies");
  await scene.api.create({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name, namespace },
    data: { ...root.data, quote },
  });
  const pod = podManifest({
    name,
    namespace,
    node: PLAIN_NODE,
    image: scene.images.confcom,
    args: [
      "verify",
      "/given/quote",
      "--trust-root=/given/root-ca.pem",
      `--pccs-url=https://sgx-pccs.${NAMESPACE}.svc:8081`,
      "--tls-ca=/given/pccs-ca.pem",
      "--cache=none",
      "--allow-platform=software",
    ],
    volumes: [{ name: "given", configMap: { name } }],
    mounts: [{ name: "given", mountPath: "/given", readOnly: true }],
  }) as { spec: object };
  await scene.api.create({ ...pod, spec: { ...pod.spec, dnsPolicy: "ClusterFirst" } });
  try {
    await scene.phase(namespace, name, "Succeeded", LIMIT);
  } catch (error) {
    const said = await scene.api.log(namespace, name).catch(() => "");
    throw new Error(
      `${error instanceof Error ? error.message : String(error)}; the verifier of ${QUOTE_HELPER_NAME}'s quote said: ${said}`,
    );
  }
  const said = (await scene.api.log(namespace, name)).trim().split("\n")[0] ?? "";
  await scene.api.deletePod(namespace, name, 0);
  return `on ${PLAIN_NODE}: ${said}`;
}
