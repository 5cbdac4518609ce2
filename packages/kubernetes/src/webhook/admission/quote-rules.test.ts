import {
  BYTES,
  container,
  HOST_VOLUME,
  MIB,
  MOUNT,
  MOUNTED,
  OPTED_IN,
  OWN_PROVIDER,
  PROVIDER,
  PROVISION,
  pod,
  QUOTE,
  testRules,
} from "./testing/rule-example.ts";

testRules([
  {
    rule: "Q1",
    given: pod([container("app", {}, OPTED_IN)]),
    becomes: pod([container("app", { [QUOTE]: "1" }, OPTED_IN)]),
  },
  {
    rule: "Q1",
    given: pod([{ name: "app", env: [{ name: "SGX_AESM_ADDR", valueFrom: { configMapKeyRef: {} } }] }]),
    becomes: pod([
      container("app", { [QUOTE]: "1" }, { env: [{ name: "SGX_AESM_ADDR", valueFrom: { configMapKeyRef: {} } }] }),
    ]),
  },
  {
    rule: "Q1",
    given: pod([{ name: "app" }], {}, { initContainers: [container("first", {}, OPTED_IN)] }),
    becomes: pod([{ name: "app" }], {}, { initContainers: [container("first", { [QUOTE]: "1" }, OPTED_IN)] }),
  },
  {
    rule: "Q2",
    given: pod([container("app", { [MIB]: "10" }), container("proxy", {})], { [PROVIDER]: "aesmd" }),
    becomes: pod([container("app", { [MIB]: "10", [QUOTE]: "1" }), container("proxy", {})], { [PROVIDER]: "aesmd" }),
  },
  {
    rule: "Q2",
    given: pod(
      [{ name: "app" }],
      { [OWN_PROVIDER]: "aesmd" },
      { initContainers: [container("first", { [BYTES]: "1Mi" })] },
    ),
    becomes: pod(
      [{ name: "app" }],
      { [OWN_PROVIDER]: "aesmd" },
      { initContainers: [container("first", { [MIB]: "1", [QUOTE]: "1" })] },
    ),
  },
  {
    rule: "Q3",
    given: pod(
      [
        container("app", { [MIB]: "10" }, { env: [{ name: "SGX_AESM_ADDR", value: "" }] }),
        container("b", { [MIB]: "1" }),
      ],
      { [PROVIDER]: "aesmd" },
    ),
    becomes: pod(
      [
        container("app", { [MIB]: "10" }, { env: [{ name: "SGX_AESM_ADDR", value: "" }] }),
        container("b", { [MIB]: "1", [QUOTE]: "1" }),
      ],
      { [PROVIDER]: "aesmd" },
    ),
  },
  { rule: "Q4", given: pod([container("app", { [QUOTE]: "1" }, OPTED_IN)]), options: MOUNT },
  {
    rule: "Q5",
    given: pod(
      [container("app", {}, { ...OPTED_IN, volumeMounts: [{ name: "v", mountPath: "/run/aesmd/" }] })],
      {},
      {
        volumes: [{ name: "v", emptyDir: {} }],
      },
    ),
  },
  {
    rule: "Q5",
    given: pod(
      [container("app", { [MIB]: "1" }, { volumeMounts: [{ name: "v", mountPath: "/aesm" }] })],
      { [PROVIDER]: "aesmd" },
      {
        volumes: [{ name: "v", hostPath: { path: "/run/aesmd" } }],
      },
    ),
    becomes: pod(
      [container("app", { [MIB]: "1" }, { volumeMounts: [{ name: "v", mountPath: "/aesm" }], ...OPTED_IN })],
      { [PROVIDER]: "aesmd" },
      { volumes: [{ name: "v", hostPath: { path: "/run/aesmd" } }] },
    ),
  },
  {
    rule: "Q6",
    given: pod(
      [container("app", {}, { ...OPTED_IN, volumeMounts: [{ name: "v", mountPath: "/var/run/aesmd/aesm.socket" }] })],
      {},
      {
        volumes: [{ name: "v", hostPath: { path: "/var/run/aesmd/aesm.socket", type: "Socket" } }],
      },
    ),
    says: /mounts the AESM's socket, .*: mount the directory \/var\/run\/aesmd, or ask for sgx.confcom.dev\/quote: 1/,
  },
  {
    rule: "Q6",
    given: pod(
      [container("app", {}, { volumeMounts: [{ name: "v", mountPath: "/s", subPath: "aesm.socket" }] })],
      {},
      {
        volumes: [{ name: "v", hostPath: { path: "/var/run/aesmd" } }],
      },
    ),
    says: /mounts the AESM's socket/,
  },
  {
    rule: "Q7",
    given: pod([container("app", { [MIB]: "1" }), container("b", {}, OPTED_IN)], { [PROVIDER]: "aesmd" }),
    options: MOUNT,
    becomes: pod(
      [
        container("app", { [MIB]: "1" }, { volumeMounts: [{ ...MOUNTED, readOnly: true }], ...OPTED_IN }),
        container("b", {}, { ...OPTED_IN, volumeMounts: [{ ...MOUNTED, readOnly: true }] }),
      ],
      { [PROVIDER]: "aesmd" },
      { volumes: [HOST_VOLUME] },
    ),
  },
  {
    rule: "Q7",
    given: pod([container("app", {}, OPTED_IN)], {}, { volumes: [{ name: "mine", hostPath: { path: "/run/aesmd" } }] }),
    options: MOUNT,
    becomes: pod(
      [
        container(
          "app",
          {},
          { ...OPTED_IN, volumeMounts: [{ name: "mine", mountPath: "/var/run/aesmd", readOnly: true }] },
        ),
      ],
      {},
      {
        volumes: [{ name: "mine", hostPath: { path: "/run/aesmd" } }],
      },
    ),
  },
  {
    rule: "Q7",
    given: pod([container("app", {}, OPTED_IN)], {}, { volumes: [{ name: "aesmd-socket", emptyDir: {} }] }),
    options: { ...MOUNT, aesmDirectory: "/opt/aesm" },
    becomes: pod(
      [
        container(
          "app",
          {},
          { ...OPTED_IN, volumeMounts: [{ name: "aesmd-socket-2", mountPath: "/var/run/aesmd", readOnly: true }] },
        ),
      ],
      {},
      {
        volumes: [
          { name: "aesmd-socket", emptyDir: {} },
          { name: "aesmd-socket-2", hostPath: { path: "/opt/aesm", type: "DirectoryOrCreate" } },
        ],
      },
    ),
  },
  {
    rule: "Q8",
    given: pod([container("app", { [MIB]: "10" }), container("b", { [MIB]: "10" })], { [PROVIDER]: "app" }),
    becomes: pod([container("app", { [MIB]: "10", [PROVISION]: "1" }), container("b", { [MIB]: "10" })], {
      [PROVIDER]: "app",
    }),
  },
  {
    rule: "Q8",
    given: pod([container("app", {})], { [PROVIDER]: "app" }),
    says: /container "app" asks for no EPC, so it gets no provisioning key/,
  },
  {
    rule: "Q9",
    given: pod([container("app", { [MIB]: "10" })], { [OWN_PROVIDER]: "apq" }),
    says: /sgx.confcom.dev\/quote-provider: no container is called "apq"; write "aesmd" or a container's name/,
  },
  {
    rule: "Q9",
    given: pod([container("app", {})], { [PROVIDER]: "aesmd" }),
    says: /"aesmd" changes nothing, for no container asks for EPC/,
  },
  {
    rule: "Q10",
    given: pod([container("app", { [MIB]: "1" })], { [PROVIDER]: "aesmd", [OWN_PROVIDER]: "app" }),
    refused: "QUOTE_PROVIDER_CONTRADICTION",
    says: /write one of the two annotations/,
  },
  {
    rule: "Q11",
    given: pod([container("app", { [MIB]: "1" }, OPTED_IN)], { [PROVIDER]: "app" }),
    refused: "BOTH_QUOTE_MODES",
    says: /container "app" is to quote in-process .* and out-of-process \(SGX_AESM_ADDR\): .* set the annotation to "aesmd"/,
  },
  {
    rule: "Q11",
    given: pod([container("app", { [MIB]: "1", [QUOTE]: "1" })], { [PROVIDER]: "app" }),
    refused: "BOTH_QUOTE_MODES",
  },
  {
    rule: "Q12",
    given: pod([container("app", { [MIB]: "1", [PROVISION]: "1" }, OPTED_IN)]),
    refused: "PROVISION_WITH_OPT_IN",
    says: /container "app" asks for sgx.intel.com\/provision and for out-of-process quotes .*: take sgx.intel.com\/provision away/,
  },
  {
    rule: "Q12",
    given: pod([container("app", { [MIB]: "1", [PROVISION]: "1" })], { [PROVIDER]: "aesmd" }),
    refused: "PROVISION_WITH_OPT_IN",
  },
  { rule: "Q12", given: pod([container("app", { [QUOTE]: "1", [PROVISION]: "1" })]), refused: "PROVISION_WITH_OPT_IN" },
]);
