import fc from "fast-check";

// Pods of every shape that the rules speak of, plausible and not.

const RESOURCES = [
  "kubernetes.azure.com/sgx_epc_mem_in_MiB",
  "sgx.intel.com/epc",
  "sgx.intel.com/enclave",
  "sgx.intel.com/provision",
  "sgx.confcom.dev/quote",
  "cpu",
];
const QUANTITIES = [
  "0",
  "1",
  "2",
  "10",
  "64",
  "500m",
  "1.5",
  "10Mi",
  "1Gi",
  "1k",
  "1e3",
  "3e6",
  "-1",
  "",
  "much",
  "1Ti",
];
const PATHS = ["/var/run/aesmd", "/run/aesmd/", "/var/run/aesmd/aesm.socket", "/data", "/var//run/../run/aesmd"];
const NAMES = ["app", "aesmd", "other"];
const VOLUMES = ["aesmd-socket", "aesmd-socket-2", "data"];

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });
const quantity = fc.oneof(
  fc.constantFrom<string | number>(...QUANTITIES),
  fc.nat({ max: 3000 }),
  fc.bigInt().map(String),
);
const amounts = fc.dictionary(fc.constantFrom(...RESOURCES), quantity, { maxKeys: 4, noNullPrototype: true });

/** Most pods come with requests that are the limits, as the API server completes them. */
const resources = fc.oneof(
  { weight: 3, arbitrary: amounts.map((limits) => ({ limits, requests: { ...limits } })) },
  { weight: 1, arbitrary: fc.record({ limits: maybe(amounts), requests: fc.option(amounts) }) },
);
const variable = fc.oneof(
  fc.record({ name: fc.constant("SGX_AESM_ADDR"), value: fc.constantFrom("", "1", "yes") }),
  fc.constant({ name: "SGX_AESM_ADDR", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }),
  fc.constant({ name: "OTHER", value: "1" }),
);
const volumeMount = fc.record({
  name: fc.constantFrom(...VOLUMES),
  mountPath: fc.constantFrom(...PATHS),
  subPath: maybe(fc.constant("aesm.socket")),
});
const container = fc.record({
  name: fc.constantFrom(...NAMES),
  image: fc.constant("image"),
  resources: maybe(resources),
  env: maybe(fc.array(variable, { maxLength: 2 })),
  volumeMounts: maybe(fc.array(volumeMount, { maxLength: 2 })),
  restartPolicy: maybe(fc.constant("Always")),
});
const volume = fc.oneof(
  fc.record({ name: fc.constantFrom(...VOLUMES), emptyDir: fc.constant({}) }),
  fc.record({
    name: fc.constantFrom(...VOLUMES),
    hostPath: fc.record({ path: fc.constantFrom(...PATHS), type: maybe(fc.constantFrom("", "Directory", "Socket")) }),
  }),
);
const provider = maybe(fc.constantFrom("", "aesmd", "app", "nobody"));
const annotations = fc.record({
  "sgx.intel.com/quote-provider": provider,
  "sgx.confcom.dev/quote-provider": provider,
  "sgx.intel.com/epc": maybe(fc.constantFrom("1Mi", "no quantity")),
  other: fc.constant("stays"),
});

/** As JSON carries them: without members that are undefined. */
export const pods = fc
  .record({
    metadata: fc.record({ name: fc.constant("pod"), annotations: maybe(annotations) }),
    spec: fc.record({
      containers: fc.array(container, { minLength: 1, maxLength: 3 }),
      initContainers: maybe(fc.array(container, { maxLength: 2 })),
      volumes: maybe(fc.array(volume, { maxLength: 2 })),
      nodeName: fc.constant("node"),
    }),
  })
  .map((pod) => JSON.parse(JSON.stringify(pod)) as PodObject);

export interface ContainerObject {
  readonly resources?: { readonly limits?: object | null; readonly requests?: object | null };
  readonly env?: readonly unknown[];
  readonly volumeMounts?: readonly unknown[];
}

export interface PodObject {
  readonly metadata: { readonly annotations?: object };
  readonly spec: {
    readonly containers: readonly ContainerObject[];
    readonly initContainers?: readonly ContainerObject[];
    readonly volumes?: readonly unknown[];
  };
}

/** A pod in which one part is something else altogether. */
export const hostilePods = fc
  .tuple(pods, fc.jsonValue({ maxDepth: 3 }), fc.infiniteStream(fc.nat()))
  .map(([pod, intruder, choices]) => {
    let parent: unknown = pod;
    for (;;) {
      const keys = Object.keys(parent as object);
      const key = keys[(choices.next().value ?? 0) % Math.max(1, keys.length)];
      if (key === undefined) return pod;
      const child: unknown = Reflect.get(parent as object, key);
      const deeper = typeof child === "object" && child !== null && (choices.next().value ?? 0) % 4 !== 0;
      if (!deeper) {
        Reflect.set(parent as object, key, intruder);
        return pod;
      }
      parent = child;
    }
  });

export const optionSets = fc.record({
  resourceNames: fc.constantFrom("azure" as const, "intel" as const),
  enclaveSlot: fc.boolean(),
  injection: fc.constantFrom("slot" as const, "mount" as const),
  aesmDirectory: fc.constantFrom("/var/run/aesmd", "/opt/aesm"),
});
