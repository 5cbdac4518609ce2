import {
  AESM_VARIABLE,
  AZURE_EPC_RESOURCE as EPC,
  INTEL_EPC_RESOURCE as EPC_BYTES,
  OWN_QUOTE_PROVIDER_ANNOTATION,
  PROVISION_RESOURCE as PROVISION,
  QUOTE_RESOURCE as QUOTE,
  QUOTE_PROVIDER_ANNOTATION,
} from "@confcom/kubernetes";
import { container, type PodParts } from "./pod-parts.ts";

/** Where a pod is to be created: a namespace that may not ask for the provisioning key, one that may, and kube-system. */
export type Place = "closed" | "allowed" | "exempt";

interface Case {
  readonly what: string;
  readonly place: Place;
  readonly pod: PodParts;
}

export interface Refused extends Case {
  /** After `sgx-policies-`. */
  readonly policy: "quoting-mode" | "epc-amount" | "provision";
  /** All that the policy says. */
  readonly says: string;
  /** Where the webhook, when it is there, is the first to refuse: a part of what it says. */
  readonly webhookSays?: RegExp;
}

const OPT_IN = [{ name: AESM_VARIABLE, value: "1" }];

const bothAsked = (names: string) =>
  `container ${names} asks for quotes in-process, by sgx.intel.com/provision, and out-of-process, by SGX_AESM_ADDR, ` +
  "sgx.confcom.dev/quote or a quote-provider annotation: an application uses one of the two, leave the other out";

const noKey = (names: string) =>
  `container ${names} asks for sgx.intel.com/provision, the right to the provisioning key, which is not allowed in ` +
  "namespace policies-closed: for quotes out-of-process take it away, or the annotation that names the container, and " +
  "set SGX_AESM_ADDR=1; for quotes in-process have an administrator label the namespace sgx.confcom.dev/provision=allowed";

const countsMib = (name: string, amount: string, meant: string) =>
  `container ${name} asks for ${amount} of kubernetes.azure.com/sgx_epc_mem_in_MiB, which counts MiB: write ${meant}, not ${amount}`;

export const REFUSED: readonly Refused[] = [
  {
    what: "variable and provisioning key",
    place: "allowed",
    pod: { containers: [container("other"), container("app", { [EPC]: "10", [PROVISION]: "1" }, OPT_IN)] },
    policy: "quoting-mode",
    says: bothAsked("app"),
    webhookSays: /container "app" asks for sgx.intel.com\/provision and for out-of-process quotes \(SGX_AESM_ADDR\)/,
  },
  {
    what: "quote slot and provisioning key, in two containers",
    place: "allowed",
    pod: { containers: ["a", "b"].map((name) => container(name, { [QUOTE]: "1", [PROVISION]: "1" })) },
    policy: "quoting-mode",
    says: bothAsked("a, b"),
    webhookSays: /container "a" .*take sgx.intel.com\/provision away.*container "b"/,
  },
  {
    what: "variable and provisioning key in an init container",
    place: "allowed",
    pod: { containers: [container("app")], initContainers: [container("first", { [PROVISION]: "1" }, OPT_IN)] },
    policy: "quoting-mode",
    says: bothAsked("first"),
    webhookSays: /container "first" asks for sgx.intel.com\/provision/,
  },
  {
    what: "the annotation aesmd and provisioning key",
    place: "allowed",
    pod: {
      containers: [container("app", { [EPC]: "10", [PROVISION]: "1" })],
      annotations: { [QUOTE_PROVIDER_ANNOTATION]: "aesmd" },
    },
    policy: "quoting-mode",
    says: bothAsked("app"),
    webhookSays: /container "app" asks for sgx.intel.com\/provision .*the annotation sgx.intel.com\/quote-provider/,
  },
  {
    what: "named as quoting in-process, and the variable",
    place: "closed",
    pod: {
      containers: [container("app", { [EPC]: "10" }, OPT_IN)],
      annotations: { [OWN_QUOTE_PROVIDER_ANNOTATION]: "app" },
    },
    policy: "quoting-mode",
    says:
      "container app quotes in-process, as the annotation sgx.confcom.dev/quote-provider or sgx.intel.com/quote-provider " +
      "says, and asks for quotes out-of-process, by SGX_AESM_ADDR or sgx.confcom.dev/quote: an application uses one of " +
      "the two, leave the other out",
    webhookSays:
      /container "app" is to quote in-process \(annotation sgx.confcom.dev\/quote-provider\) and out-of-process/,
  },
  {
    what: "two annotations that contradict each other",
    place: "closed",
    pod: {
      containers: [container("app", { [EPC]: "10" })],
      annotations: { [OWN_QUOTE_PROVIDER_ANNOTATION]: "app", [QUOTE_PROVIDER_ANNOTATION]: "aesmd" },
    },
    policy: "quoting-mode",
    says: "the annotations sgx.confcom.dev/quote-provider and sgx.intel.com/quote-provider say app and aesmd: write one of the two",
    webhookSays: /write one of the two annotations/,
  },
  {
    what: "10Mi of the resource that counts MiB",
    place: "closed",
    pod: { containers: [container("app", { [EPC]: "10Mi" })] },
    policy: "epc-amount",
    says: countsMib("app", "10Mi", "10"),
    webhookSays: /container "app" asks for 10Mi .*For 10 MiB write "10", without a unit/,
  },
  {
    what: "bytes of the resource that counts MiB, in an init container, and a small unit",
    place: "closed",
    pod: {
      containers: [container("app", { [EPC]: "64Ki" })],
      initContainers: [container("first", { [EPC]: "67108864" })],
    },
    policy: "epc-amount",
    says: `${countsMib("app", "64Ki", "1")}; ${countsMib("first", "67108864", "64")}`,
    webhookSays: /For 64 MiB write "64".*For 1 MiB write "1"/,
  },
  {
    what: "more bytes than there are",
    place: "closed",
    pod: { containers: [container("app", { [EPC_BYTES]: "1Ti" })] },
    policy: "epc-amount",
    says: "container app asks for 1Ti of sgx.intel.com/epc, which counts bytes: no machine has that much, write a number with a unit, such as 64Mi",
    webhookSays: /container "app" asks for 1099511627776 bytes of EPC/,
  },
  {
    what: "the provisioning key in a namespace that is not labelled",
    place: "closed",
    pod: { containers: [container("app", { [EPC]: "10", [PROVISION]: "1" })] },
    policy: "provision",
    says: noKey("app"),
  },
  {
    what: "the provisioning key in an init container there",
    place: "closed",
    pod: { containers: [container("app")], initContainers: [container("first", { [PROVISION]: "1" })] },
    policy: "provision",
    says: noKey("first"),
  },
  {
    what: "an AESM of one's own there",
    place: "closed",
    pod: { containers: [container("aesmd", { [EPC]: "10", [PROVISION]: "1" })] },
    policy: "provision",
    says: noKey("aesmd"),
  },
];

export const TAKEN: readonly Case[] = [
  { what: "nothing of SGX", place: "closed", pod: { containers: [container("app")] } },
  {
    what: "EPC and opt-in",
    place: "closed",
    pod: { containers: [container("app", { [EPC]: "10" }, OPT_IN), container("other")] },
  },
  {
    what: "more EPC than any node has",
    place: "closed",
    pod: { containers: [container("app", { [EPC]: "1048575" })] },
  },
  { what: "0 provisioning keys", place: "closed", pod: { containers: [container("app", { [PROVISION]: "0" })] } },
  {
    what: "in-process where it is allowed",
    place: "allowed",
    pod: { containers: [container("app", { [EPC]: "10", [PROVISION]: "1" })] },
  },
  {
    what: "in-process by annotation, beside another that opts in",
    place: "allowed",
    pod: {
      containers: [container("app", { [EPC]: "10" }), container("other", { [EPC]: "1" }, OPT_IN)],
      annotations: { [QUOTE_PROVIDER_ANNOTATION]: "app" },
    },
  },
  {
    what: "an empty variable, which is no opt-in",
    place: "allowed",
    pod: { containers: [container("app", { [PROVISION]: "1" }, [{ name: AESM_VARIABLE, value: "" }])] },
  },
  {
    what: "a sidecar called aesmd, as Intel's webhook leaves it",
    place: "allowed",
    pod: {
      containers: [
        container("aesmd", { [EPC_BYTES]: "1Mi", [PROVISION]: "1" }, OPT_IN),
        container("app", { [EPC_BYTES]: "10Mi" }),
      ],
      annotations: { [QUOTE_PROVIDER_ANNOTATION]: "aesmd" },
    },
  },
  {
    what: "the provisioning key in kube-system",
    place: "exempt",
    pod: { containers: [container("app", { [PROVISION]: "1" })] },
  },
];
