import {
  add,
  all,
  asking,
  change,
  counterMode,
  type Fault,
  failedCreate,
  mounting,
  notReady,
  one,
  status,
  VARIABLE,
  waiting,
  without,
} from "./cluster-faults.ts";
import { AZURE, event, INTEL, limits, pod } from "./cluster-objects.ts";

/** Of what pods ask for. */
export const APPLICATION_FAULTS: readonly Fault[] = [
  one(
    "the socket's file is mounted",
    "SOCKET_FILE_MOUNTED",
    mounting({ hostPath: { path: "/var/run/aesmd/aesm.socket", type: "Socket" } }, "/var/run/aesmd/aesm.socket"),
  ),
  one(
    "the socket is mounted by subPath",
    "SOCKET_FILE_MOUNTED",
    mounting({ hostPath: { path: "/var/run/aesmd" } }, "/var/run/aesmd", { subPath: "aesm.socket" }),
  ),
  one(
    "the directory is mounted as a file",
    "AESM_DIRECTORY_TYPE",
    mounting({ hostPath: { path: "/var/run/aesmd", type: "Socket" } }, "/var/run/aesmd"),
  ),
  one("the directory is the pod's own", "AESM_DIRECTORY_EMPTY", mounting({ emptyDir: {} }, "/var/run/aesmd")),
  one(
    "the directory is the pod's own, on a node without helper",
    "AESM_DIRECTORY_EMPTY",
    add(
      "pods",
      pod("team", "faulty", "plain-1", {
        container: { env: VARIABLE, volumeMounts: [{ name: "v", mountPath: "/var/run/aesmd" }] },
        spec: { volumes: [{ name: "v", emptyDir: {} }] },
      }),
    ),
  ),
  one(
    "another directory of the host is mounted",
    "AESM_DIRECTORY_EMPTY",
    mounting({ hostPath: { path: "/var/run/aesm" } }, "/var/run/aesmd"),
  ),
  one(
    "only the variable is there",
    "OPT_IN_WITHOUT_SOCKET",
    add("pods", pod("team", "faulty", "sgx-1", { container: { ...limits({ [AZURE]: "1" }), env: VARIABLE } })),
  ),
  one(
    "only the annotation is there",
    "OPT_IN_WITHOUT_SOCKET",
    add(
      "pods",
      pod("team", "faulty", "sgx-1", {
        container: limits({ [AZURE]: "1" }),
        annotations: { "sgx.confcom.dev/quote-provider": "aesmd" },
      }),
    ),
  ),
  one(
    "in-process by annotation, and no provisioning slot",
    "NOT_COMPLETED",
    add(
      "pods",
      pod("team", "faulty", "sgx-1", {
        container: { name: "app", ...limits({ [AZURE]: "1" }) },
        annotations: { "sgx.confcom.dev/quote-provider": "app" },
      }),
    ),
  ),
  one(
    "the annotation and the directory are there, the variable is not",
    "NOT_COMPLETED",
    add(
      "pods",
      pod("team", "faulty", "sgx-1", {
        container: { ...limits({ [AZURE]: "1" }), volumeMounts: [{ name: "v", mountPath: "/var/run/aesmd" }] },
        annotations: { "sgx.intel.com/quote-provider": "aesmd" },
        spec: { volumes: [{ name: "v", hostPath: { path: "/var/run/aesmd", type: "Directory" } }] },
      }),
    ),
  ),
  one(
    "a virtual machine that is not told its EPC",
    "NOT_COMPLETED",
    add(
      "pods",
      pod("team", "faulty", "sgx-1", {
        container: limits({ [AZURE]: "1" }),
        spec: { runtimeClassName: "kata" },
      }),
    ),
  ),
  one(
    "Intel's aesmd runs beside the helper",
    "TWO_AESMS_ON_NODE",
    add(
      "pods",
      pod("sgx", "intel-aesmd-x", "sgx-1", {
        container: {
          name: "aesmd",
          image: "intel/sgx-aesm-demo:1",
          ...limits({ [AZURE]: "1", "sgx.intel.com/provision": "1" }),
          volumeMounts: [{ name: "v", mountPath: "/var/run/aesmd" }],
        },
        spec: { volumes: [{ name: "v", hostPath: { path: "/var/run/aesmd" } }] },
      }),
    ),
  ),
  one(
    "the host's own aesmd took the socket",
    "TWO_AESMS_ON_NODE",
    all(
      status("sgx-quote-helper-sgx-1:9103", "ready", {
        ok: false,
        why: "/var/run/aesmd/aesm.socket is not the socket that this process bound: another process took it over",
      }),
      change("pods", "sgx-quote-helper-sgx-1", "status/conditions", notReady),
    ),
  ),
  one(
    "a sidecar and a slot",
    "SIDECAR_AND_HELPER",
    change("pods", "own-aesm", "spec/containers/1/resources", {
      limits: { [AZURE]: "8", "sgx.confcom.dev/quote": "1" },
    }),
  ),
  one(
    "both ways to quote",
    "BOTH_MODES",
    asking({ [AZURE]: "1", "sgx.intel.com/provision": "1", "sgx.confcom.dev/quote": "1" }),
  ),
  one(
    "both ways to quote, refused",
    "BOTH_MODES",
    failedCreate('ValidatingAdmissionPolicy "sgx-policies-quoting-mode" with binding "x" denied request: no'),
  ),
  one("bytes where the nodes have MiB", "EPC_NAME", asking({ [INTEL]: "10Mi" }, null)),
  {
    name: "no node has EPC",
    codes: ["EPC_NOWHERE", "EPC_NOWHERE"],
    make: all(
      asking({ [AZURE]: "1" }, null),
      ...["sgx-1", "sgx-2"].flatMap((name) => [
        change("nodes", name, "status/capacity", {}),
        change("nodes", name, "status/allocatable", {}),
      ]),
    ),
  },
  one("10Mi of MiB", "EPC_SUFFIX", asking({ [AZURE]: "10Mi" }, null)),
  one("10Mi of MiB in bytes", "EPC_SUFFIX", asking({ [AZURE]: "104857600" }, null)),
  one(
    "10Mi of MiB, refused by the policy",
    "EPC_SUFFIX",
    failedCreate('ValidatingAdmissionPolicy "sgx-policies-epc-amount" with binding "x" denied request: no'),
  ),
  one(
    "10Mi of MiB, refused by the webhook",
    "EPC_SUFFIX",
    failedCreate(
      `admission webhook "slot.sgx.confcom.dev" denied the request: container "a" asks for 10Mi of ${AZURE}, which counts MiB: no`,
    ),
  ),
  one("MiB of bytes", "EPC_BYTES", asking({ [INTEL]: "10" }, null)),
  one("more than any node", "EPC_LARGER_THAN_NODES", asking({ [AZURE]: "2000" }, null)),
  one("a counted node and no slot", "ENCLAVE_SLOT_MISSING", all(counterMode, without("pods", "by-slot"))),
  one(
    "provision where it is not allowed",
    "PROVISION_NAMESPACE",
    failedCreate(
      'ValidatingAdmissionPolicy "sgx-policies-provision" with binding "x" denied request: container a asks for sgx.intel.com/provision',
    ),
  ),
  one(
    "a quota on the other name",
    "QUOTA_WITHOUT_EFFECT",
    add("quotas", { metadata: { namespace: "team", name: "q" }, spec: { hard: { [`requests.${INTEL}`]: "1Gi" } } }),
  ),
  one(
    "a quota that is used up",
    "QUOTA_EXCEEDED",
    failedCreate(`pods "x" is forbidden: exceeded quota: epc, requested: requests.${AZURE}=10`),
  ),
  one(
    "a verifier in another namespace",
    "ROOT_NAMESPACE",
    all(
      add(
        "pods",
        pod("team", "verifier", "plain-1", {
          spec: { volumes: [{ name: "root", configMap: { name: "sgx-quote-root" } }] },
          status: { phase: "Pending", conditions: notReady, containerStatuses: waiting("main", "ContainerCreating") },
        }),
      ),
      add(
        "events",
        event(
          "Pod",
          "team",
          "verifier",
          "FailedMount",
          'MountVolume.SetUp failed for volume "root" : configmap "sgx-quote-root" not found',
        ),
      ),
    ),
  ),
];
