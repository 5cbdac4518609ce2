const affinity = {
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key: "pool", operator: "In", values: ["sgx", "1"] }] }],
    },
  },
};

/** What an owner may write into a file of values, by what is particular about it: text that looks like something else, numbers, nulls. */
export const VALUE_SETS: Readonly<Record<string, object>> = {
  "the defaults": {},
  "bytes under Intel's name": { resourceNames: "intel", quoteHelper: { epcMiB: 65536, workers: 256 } },
  "device mode with NUMA": { mode: "device", numa: true, slots: { enclave: 0, provision: 10000, quote: 1 } },
  "counter mode, provisioning with EPC": { mode: "counter", provisionWithEpc: true, slots: { quote: 5 } },
  "every source of EPC": {
    cpuidInit: true,
    miscCapacityFile: "/sys/fs/cgroup/misc.capacity",
    sysfsNodeDirectory: null,
    epcMiB: 2147483647,
    listenAddress: "[::]",
    logLevel: "trace",
  },
  "an image of a registry": {
    image:
      "registry.example:5000/mirror/confcom@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    imagePullPolicy: "Always",
    imagePullSecrets: ["one", "2"],
  },
  "text that looks like something else": {
    podLabels: { a: "1", b: "on", c: "1e3", d: "null", e: "", app: "not-ours", "app.kubernetes.io/part-of": "x" },
    podAnnotations: { time: "12:30:45", braces: "{{ .Values }}", quotes: `"it's" \\ # : `, lines: "one\ntwo\n" },
    nodeSelector: { "kubernetes.io/os": "windows", zone: "01", "x.example/y": "true" },
  },
  "where pods go": {
    affinity,
    tolerations: [{ key: "sgx", operator: "Exists", effect: "NoExecute", tolerationSeconds: 2147483647 }],
    priorityClassName: null,
  },
  "neither tolerations nor a helper": { tolerations: [], affinity: {}, quoteHelper: { enabled: false } },
  "resources as numbers, and taken away": {
    plugin: { resources: { requests: { cpu: 1, memory: 134217728 }, limits: null } },
    nodeStatus: { resources: { requests: { cpu: null }, limits: { "ephemeral-storage": "1Gi" } } },
    quoteHelper: { resources: { requests: null, limits: { cpu: 0.5 } } },
  },
  "directories with names of their own": {
    quoteHelper: { socketDirectory: "/run/it's a/aesm%d", stateDirectory: "/srv/#1 {state}" },
    sysfsNodeDirectory: "/fixture/é",
  },
  "one webhook, warnings only": {
    webhook: { replicas: 1, resources: { limits: { cpu: "1" } } },
    policies: { provision: "Warn" },
  },
  "a PCCS elsewhere": {
    pccs: { url: "https://pccs.example:8081/sgx/certification/v4", trustConfigMap: "roots", userTokenSecret: "token" },
  },
  "a PCCS on one node, asking Intel": {
    pccs: {
      upstream: "intel",
      storage: { hostPath: "/srv/pccs" },
      nodeSelector: { "kubernetes.io/hostname": "plain-1" },
      resources: { limits: { memory: "1Gi" } },
    },
  },
  "a claim of a class": { pccs: { upstream: "https://pccs.example/", storage: { size: "2.5Gi", className: "slow" } } },
  "the daemons alone": { webhook: { enabled: false }, policies: { enabled: false }, pccs: { enabled: false } },
};

/** What both refuse, and a word that both say about it. */
export const WRONG_VALUES: readonly (readonly [values: object, word: string])[] = [
  [{ imag: "x" }, "imag"],
  [{ quoteHelper: { epcMib: 4 } }, "epcMib"],
  [{ mode: null }, "mode"],
  [{ mode: "fast" }, "mode"],
  [{ slots: { enclave: -1 } }, "enclave"],
  [{ quoteHelper: { stateDirectory: "/a/../b" } }, "stateDirectory"],
  [{ podLabels: { a: 1 } }, "podLabels"],
  [{ resourceNames: "intel", mode: "device" }, "device does not go with resourceNames intel"],
  [{ slots: { provision: 0 } }, "0 leaves none for the quote helper"],
  [{ slots: { enclave: 0 } }, "0 leaves none for the quote helper"],
  [{ slots: { enclave: 0 }, quoteHelper: { enabled: false } }, "0 leaves none for pods with EPC"],
  [{ numa: true, mode: "counter" }, "true needs EPC as devices"],
  [{ pccs: { storage: { hostPath: "/srv" } } }, "a directory is one node's"],
];
