/** Every failure that this package reports: stable code, what it means, what to do. */
export const KUBERNETES_ERRORS = {
  DEVICE_ID_UNKNOWN:
    "the kubelet named a device id that is not published: it holds an old list; the pod is admitted again when the new list has arrived",
} as const;

export type KubernetesErrorCode = keyof typeof KUBERNETES_ERRORS;

export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly code: KubernetesErrorCode;
  /** What to do next, where the table's text is not exact enough. */
  readonly nextStep: string;

  constructor(code: KubernetesErrorCode, message: string, options: { cause?: unknown; nextStep?: string } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.nextStep = options.nextStep ?? KUBERNETES_ERRORS[code];
  }
}
