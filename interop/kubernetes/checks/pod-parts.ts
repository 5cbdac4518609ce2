/** What admission looks at in a pod. */
export interface PodParts {
  readonly containers: readonly ContainerParts[];
  readonly initContainers?: readonly ContainerParts[];
  readonly annotations?: Readonly<Record<string, string>>;
}

interface ContainerParts {
  readonly name: string;
  readonly limits: Readonly<Record<string, string>>;
  readonly env: readonly object[];
}

export const container = (
  name: string,
  limits: ContainerParts["limits"] = {},
  env: ContainerParts["env"] = [],
): ContainerParts => ({ name, limits, env });

/** Everything else as the pod-security level "restricted" wants it. */
export function podOf(namespace: string, image: string, parts: PodParts) {
  const { containers, initContainers = [], annotations = {} } = parts;
  const complete = ({ name, limits, env }: ContainerParts) => ({
    name,
    image,
    env,
    resources: { limits },
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
  });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "admission", namespace, annotations },
    spec: {
      restartPolicy: "Never",
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: "RuntimeDefault" } },
      initContainers: initContainers.map(complete),
      containers: containers.map(complete),
    },
  };
}
