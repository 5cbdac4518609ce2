import { ApiClient } from "../../../api/api-client.ts";
import type { FakeApiServer } from "../../../testing/fake-api-server/fake-api-server.ts";
import type { ServingCertificate } from "../serving-certificate.ts";
import { type AuthorityTimes, WebhookAuthority } from "../webhook-authority.ts";

export const NAMESPACE = "kube-system";
export const SECRET = `/api/v1/namespaces/${NAMESPACE}/secrets/sgx-webhook-authority`;
export const CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sgx-webhook";

const HOUR = 3_600_000;

/** Short enough that a test steps through them with its own clock, far enough apart to be told from each other. */
export const TIMES: AuthorityTimes = {
  authorityLife: 300 * HOUR,
  certificateLife: 30 * HOUR,
  propagation: HOUR / 60,
  retention: HOUR,
  poll: 10_000,
};

/** A clock that stands still until a test moves it. */
export class StandingClock {
  #now = Date.parse("2026-11-21T12:00:00Z");

  now(): number {
    return this.#now;
  }

  pass(milliseconds: number): void {
    this.#now += milliseconds;
  }

  setTimeout(): unknown {
    throw new Error("nothing waits in these tests");
  }

  clearTimeout(): void {}
}

export interface Replica {
  readonly authority: WebhookAuthority;
  /** Every certificate that it was to serve with, the present one last. */
  readonly served: ServingCertificate[];
  readonly log: { readonly facts: object; readonly message: string }[];
  look(): Promise<void>;
  close(): void;
}

/** One webhook process's authority, beside others at the same API server. */
export function replica(api: FakeApiServer, clock: StandingClock): Replica {
  const served: ServingCertificate[] = [];
  const log: { facts: object; message: string }[] = [];
  const write = (facts: object, message: string) => void log.push({ facts, message });
  const credentials = async () => ({ token: "token", ca: "" });
  const client = new ApiClient({ server: api.url, credentials, userAgent: "test" });
  const authority = new WebhookAuthority({
    api: client,
    namespace: NAMESPACE,
    service: "sgx-webhook",
    configuration: "sgx-webhook",
    times: TIMES,
    clock,
    random: () => 0.5,
    log: { info: write, warn: write, error: write },
    serve: (certificate) => void served.push(certificate),
  });
  const look = async () => void (await authority.look(new AbortController().signal));
  return { authority, served, log, look, close: () => client.close() };
}

/** The configuration as the manifests have it: without a caBundle. */
export function configure(api: FakeApiServer): void {
  const entry = (name: string) => ({
    name: `${name}.sgx-webhook.confcom.dev`,
    clientConfig: { service: { name: "sgx-webhook", namespace: NAMESPACE, path: `/mutate/${name}` } },
  });
  api.objects.put(CONFIGURATION, { webhooks: [entry("slot"), entry("mount")] });
}

/** What each entry's caBundle holds, as text. */
export function bundles(api: FakeApiServer): readonly string[] {
  const webhooks = api.objects.get(CONFIGURATION)?.webhooks as { clientConfig: { caBundle?: string } }[];
  return webhooks.map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? "", "base64").toString());
}

/** Value of the Secret's data. */
export function secretValue(api: FakeApiServer, key: string): string | undefined {
  const data = api.objects.get(SECRET)?.data as Readonly<Record<string, string>> | undefined;
  return data?.[key] === undefined ? undefined : Buffer.from(data[key], "base64").toString();
}
