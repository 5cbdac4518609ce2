import {
  container,
  HOST_VOLUME,
  MIB,
  MOUNTED,
  OPTED_IN,
  PROVIDER,
  PROVISION,
  pod,
  QUOTE,
  SHARED_VOLUME,
  testRules,
} from "./testing/rule-example.ts";

testRules([
  {
    rule: "S1",
    given: pod([container("app", { [MIB]: "5" }), container("aesmd", { [MIB]: "1" })], { [PROVIDER]: "aesmd" }),
    becomes: pod(
      [
        container("app", { [MIB]: "5" }, { volumeMounts: [{ ...MOUNTED, readOnly: true }], ...OPTED_IN }),
        container("aesmd", { [MIB]: "1", [PROVISION]: "1" }, { volumeMounts: [MOUNTED] }),
      ],
      { [PROVIDER]: "aesmd" },
      { volumes: [SHARED_VOLUME] },
    ),
  },
  {
    rule: "S1",
    given: pod(
      [container("app", {}, OPTED_IN)],
      { [PROVIDER]: "aesmd" },
      {
        initContainers: [
          container(
            "aesmd",
            { [MIB]: "1" },
            { restartPolicy: "Always", volumeMounts: [{ name: "s", mountPath: "/var/run/aesmd" }] },
          ),
          container("first", { [MIB]: "1" }),
        ],
        volumes: [{ name: "s", emptyDir: {} }],
      },
    ),
    becomes: pod(
      [
        container(
          "app",
          {},
          { ...OPTED_IN, volumeMounts: [{ name: "s", mountPath: "/var/run/aesmd", readOnly: true }] },
        ),
      ],
      { [PROVIDER]: "aesmd" },
      {
        initContainers: [
          container(
            "aesmd",
            { [MIB]: "1", [PROVISION]: "1" },
            {
              restartPolicy: "Always",
              volumeMounts: [{ name: "s", mountPath: "/var/run/aesmd" }],
            },
          ),
          container(
            "first",
            { [MIB]: "1" },
            {
              volumeMounts: [{ name: "s", mountPath: "/var/run/aesmd", readOnly: true }],
              ...OPTED_IN,
            },
          ),
        ],
        volumes: [{ name: "s", emptyDir: {} }],
      },
    ),
  },
  {
    rule: "S2",
    given: pod([container("app", { [MIB]: "5", [QUOTE]: "1" }), container("aesmd", { [MIB]: "1" })], {
      [PROVIDER]: "aesmd",
    }),
    refused: "SIDECAR_AND_HELPER",
    says: /the pod has an AESM of its own \(container "aesmd"\) and container "app" asks for sgx.confcom.dev\/quote/,
  },
  {
    rule: "S2",
    given: pod(
      [container("app", { [MIB]: "5" }), container("aesmd", { [MIB]: "1" }, { volumeMounts: [MOUNTED] })],
      { [PROVIDER]: "aesmd" },
      {
        volumes: [HOST_VOLUME],
      },
    ),
    refused: "SIDECAR_AND_HELPER",
    says: /container "aesmd" mounts the node's directory \(volume "aesmd-socket"\)/,
  },
  {
    rule: "S3",
    given: pod(
      [container("aesmd", { [MIB]: "1", [PROVISION]: "1" }, { volumeMounts: [MOUNTED] })],
      { [PROVIDER]: "aesmd" },
      {
        initContainers: [container("first", { [MIB]: "1" }, { ...OPTED_IN, volumeMounts: [MOUNTED] })],
        volumes: [SHARED_VOLUME],
      },
    ),
    says: /init container "first" runs before the pod's AESM: make "aesmd" a restartable init container ahead of it/,
  },
  {
    rule: "S4",
    given: pod(
      [
        container("aesmd", { [MIB]: "1", [PROVISION]: "1" }, { volumeMounts: [MOUNTED] }),
        container("app", { [MIB]: "1" }, { ...OPTED_IN, volumeMounts: [{ name: "o", mountPath: "/var/run/aesmd" }] }),
      ],
      { [PROVIDER]: "aesmd" },
      { volumes: [SHARED_VOLUME, { name: "o", emptyDir: {} }] },
    ),
    says: /container "app" and the pod's AESM do not meet: it mounts the volume "o", not "aesmd-socket"/,
  },
  {
    rule: "S5",
    given: pod([container("aesmd", { [MIB]: "1" })], { [PROVIDER]: "aesmd" }),
    becomes: pod(
      [container("aesmd", { [MIB]: "1", [PROVISION]: "1" }, { volumeMounts: [MOUNTED] })],
      { [PROVIDER]: "aesmd" },
      {
        volumes: [HOST_VOLUME],
      },
    ),
    says: /container "aesmd" is an AESM for its node: it and sgx-quote-helper exclude each other/,
  },
]);
