import { apiToken } from "../api-token.ts";
import {
  httpProbe,
  IMAGE,
  LOG_LEVEL_ARGUMENT,
  listenArgument,
  livenessProbe,
  UNPRIVILEGED_USER,
} from "../container-parts.ts";
import { type Deployment, type DeploymentContainer, deployment } from "../deployment.ts";
import { selectorOf, WEBHOOK_NAME, WEBHOOK_PORT, WEBHOOK_STATUS_PORT } from "../object-names.ts";
import { values } from "../object-template.ts";
import type { Template } from "../template/expression.ts";
import { text } from "../template/language.ts";

/** The container's port that the Service leads to. */
export const WEBHOOK_PORT_NAME = "webhook";

/** Seconds before the signal, in which kube-proxies hear that nobody is to be sent here any more. */
const LEAVING = 5;
/** Seconds after it: the webhook still answers for 5, and waits at most 10 for what is under way. */
const DRAINING = 20;

const token = apiToken("webhook-token");

/** `sgx-webhook`: stateless replicas, apart from each other where there are nodes enough. */
export function webhookDeployment(): Template<Deployment> {
  return deployment(WEBHOOK_NAME, {
    replicas: values.webhook.replicas,
    // The successor answers before a replica leaves: no admission goes unanswered in an update.
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    pod: {
      // Nothing is looked up by name, so it works before the cluster's DNS does.
      dnsPolicy: "Default",
      terminationGracePeriodSeconds: LEAVING + DRAINING,
      nodeSelector: { "kubernetes.io/os": "linux" },
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: "kubernetes.io/hostname",
          // One node is enough for all of them.
          whenUnsatisfiable: "ScheduleAnyway",
          labelSelector: { matchLabels: selectorOf(WEBHOOK_NAME) },
          // Replicas that are about to leave do not count.
          matchLabelKeys: ["pod-template-hash"],
        },
      ],
      containers: [webhookContainer()],
      volumes: [token.volume],
    },
  });
}

function webhookContainer(): Template<DeploymentContainer> {
  return {
    name: WEBHOOK_NAME,
    ...IMAGE,
    args: [
      "webhook",
      listenArgument("listen", WEBHOOK_PORT),
      listenArgument("health-listen", WEBHOOK_STATUS_PORT),
      text`--namespace=${values.namespace}`,
      text`--resource-names=${values.resourceNames}`,
      text`--mode=${values.mode}`,
      text`--aesm-directory=${values.quoteHelper.socketDirectory}`,
      LOG_LEVEL_ARGUMENT,
    ],
    ports: [
      { name: WEBHOOK_PORT_NAME, containerPort: WEBHOOK_PORT, protocol: "TCP" },
      { name: "status", containerPort: WEBHOOK_STATUS_PORT, protocol: "TCP" },
    ],
    lifecycle: { preStop: { sleep: { seconds: LEAVING } } },
    readinessProbe: httpProbe("/readyz", WEBHOOK_STATUS_PORT, {
      initialDelaySeconds: 2,
      periodSeconds: 2,
      timeoutSeconds: 2,
      failureThreshold: 2,
    }),
    livenessProbe: livenessProbe(WEBHOOK_STATUS_PORT),
    resources: values.webhook.resources,
    securityContext: UNPRIVILEGED_USER,
    volumeMounts: [token.mount],
  };
}
