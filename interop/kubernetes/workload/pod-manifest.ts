/** What a check asks of a pod; everything else is as the pod-security level "restricted" wants it. */
export interface PodRequest {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  /** Scheduled by the scheduler, to this node alone. */
  readonly node?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string | number>>;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  readonly graceSeconds?: number;
  readonly volumes?: readonly { readonly name: string; readonly [source: string]: unknown }[];
  readonly mounts?: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

/** A user without rights on the node; the image has a name for it. */
const NOBODY = 65532;

/** A pod of one container, called `main`. */
export function podManifest(request: PodRequest): object {
  const { name, namespace, labels = {}, limits = {} } = request;
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, spec: podSpec(request, limits) };
}

function podSpec(request: PodRequest, limits: Readonly<Record<string, string | number>>): object {
  const { image, node, command, args, env = {}, restartPolicy = "Never", graceSeconds = 2, volumes, mounts } = request;
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    dnsPolicy: "Default",
    restartPolicy,
    terminationGracePeriodSeconds: graceSeconds,
    ...(node === undefined ? {} : { nodeSelector: { "kubernetes.io/hostname": node } }),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: NOBODY,
      runAsGroup: NOBODY,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "main",
        image,
        ...(command === undefined ? {} : { command }),
        ...(args === undefined ? {} : { args }),
        env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
        resources: { limits: Object.fromEntries(Object.entries(limits).map(([key, value]) => [key, String(value)])) },
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        ...(mounts === undefined ? {} : { volumeMounts: mounts }),
      },
    ],
    ...(volumes === undefined ? {} : { volumes }),
  };
}
