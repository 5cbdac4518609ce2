import { X509Certificate } from "node:crypto";
import type { RemoteProvisioningAuthority } from "@confcom/collateral/software";
import type { MetricFamily } from "@confcom/kubernetes/status";
import type { ProvisioningAuthority, SoftwarePlatform } from "@confcom/quoting/software";
import type { ProvisioningStatus } from "./quote-helper-status.ts";

type Observed = Pick<RemoteProvisioningAuthority, "name" | "status">;

/** As people compare certificates; null for an authority that does not know its root yet. */
export function rootFingerprint({ rootCertificatePem }: Pick<ProvisioningAuthority, "rootCertificatePem">) {
  return rootCertificatePem === "" ? null : `SHA-256 ${new X509Certificate(rootCertificatePem).fingerprint256}`;
}

const text = (time: number) => new Date(time).toISOString();

/** How the service that certifies the platform answered last, for `/status`. */
export function provisioningStatus(
  authority: RemoteProvisioningAuthority,
  platform: Pick<SoftwarePlatform, "authority" | "snapshot">,
): ProvisioningStatus {
  const { name, status } = authority;
  const { failure, lastSuccess, notBefore } = status;
  const root = rootFingerprint(authority);
  const certified = platform.snapshot().key !== undefined && platform.authority === authority;
  return {
    service: name,
    state: root === null ? "awaiting-root" : certified ? "registered" : "unregistered",
    root,
    ok: failure === undefined,
    lastSuccess: lastSuccess === undefined ? null : text(lastSuccess),
    failure: failure === undefined ? null : { code: failure.code, message: failure.message, at: text(failure.at) },
    nextAttempt: failure === undefined ? null : text(notBefore),
  };
}

/** The same for `/metrics`: codes are labels, messages are not. */
export function provisioningMetrics(prefix: string, { status }: Observed): MetricFamily[] {
  return [
    {
      name: `${prefix}_provisioning_ok`,
      help: "0 while the last attempt to have the platform certified by its PCCS failed.",
      type: "gauge",
      samples: [{ value: status.failure === undefined ? 1 : 0 }],
    },
    {
      name: `${prefix}_provisioning_attempts_total`,
      help: "Attempts to have the platform certified by its PCCS, by outcome.",
      type: "counter",
      samples: [
        { labels: { outcome: "ok" }, value: status.succeeded },
        ...Object.entries(status.failed).map(([outcome, value]) => ({ labels: { outcome }, value })),
      ],
    },
  ];
}
