import { Agent, request } from "node:https";
import { FakeApiServer } from "@confcom/kubernetes/testing";

export const SECRET = "/api/v1/namespaces/kube-system/secrets/sgx-webhook-authority";
const CONFIGURATION = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/sgx-webhook";

const POD = {
  metadata: { name: "app" },
  spec: { containers: [{ name: "app", image: "app", env: [{ name: "SGX_AESM_ADDR", value: "1" }] }] },
};

const REVIEW = JSON.stringify({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: { uid: "1", kind: { group: "", version: "v1", kind: "Pod" }, operation: "CREATE", object: POD },
});

/** An API server that calls the webhook as a real one does: whoever the caBundle of that moment trusts, on kept connections. */
export class CallingApiServer {
  readonly api: FakeApiServer;
  /** Ports of the Service's endpoints. */
  endpoints: readonly number[] = [];
  #turn = 0;
  #stopped = false;
  #trusting: { readonly caBundle: string; readonly agent: Agent } | undefined;
  readonly #agents = new Set<Agent>();

  private constructor(api: FakeApiServer) {
    this.api = api;
  }

  static async start(): Promise<CallingApiServer> {
    const api = await FakeApiServer.start();
    const entry = (name: string) => ({ name, clientConfig: { service: { name: "sgx-webhook" } } });
    api.objects.put(CONFIGURATION, { webhooks: [entry("slot"), entry("mount")] });
    api.objects.put(SECRET, { type: "Opaque" });
    return new CallingApiServer(api);
  }

  get caBundle(): string {
    const webhooks = this.api.objects.get(CONFIGURATION)?.webhooks as { clientConfig: { caBundle?: string } }[];
    return Buffer.from(webhooks[0]?.clientConfig.caBundle ?? "", "base64").toString();
  }

  askForRotation(): void {
    const secret = this.api.objects.get(SECRET) as { metadata: object };
    const annotations = { "sgx.confcom.dev/rotate-authority": "now" };
    this.api.objects.put(SECRET, { ...secret, metadata: { ...secret.metadata, annotations } });
  }

  /** One admission of a pod that wants quotes. Rejects unless the pod would be changed. */
  async admit(): Promise<void> {
    const port = this.endpoints[this.#turn++ % this.endpoints.length];
    if (port === undefined) throw new Error("the Service has no endpoints");
    const { status, text } = await this.#post(port);
    if (status !== 200) throw new Error(`the webhook answered ${status}: ${text}`);
    const { response } = JSON.parse(text) as { response: { allowed: boolean; patch?: string } };
    if (!response.allowed || response.patch === undefined) throw new Error(`not changed: ${text}`);
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const agent of this.#agents) agent.destroy();
    await this.api.stop();
  }

  #post(port: number): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: "127.0.0.1",
          port,
          path: "/mutate/slot?timeout=5s",
          method: "POST",
          servername: "sgx-webhook.kube-system.svc",
          agent: this.#agent(),
          headers: { "content-type": "application/json", "content-length": REVIEW.length },
          timeout: 5000,
        },
        (response) => {
          let text = "";
          response.on("data", (data) => {
            text += data;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
          response.on("error", reject);
        },
      );
      asked.on("error", reject).on("timeout", () => asked.destroy(new Error("no answer within 5 s")));
      asked.end(REVIEW);
    });
  }

  /** A changed caBundle is a new client; the old one's requests go on. */
  #agent(): Agent {
    const { caBundle } = this;
    if (this.#trusting?.caBundle !== caBundle) {
      const agent = new Agent({ ca: caBundle, keepAlive: true, maxSockets: 16 });
      this.#agents.add(agent);
      this.#trusting = { caBundle, agent };
    }
    return this.#trusting.agent;
  }
}

/** Admissions one after the other on `lanes` lanes, until stopped or the API server is. */
export function load(server: CallingApiServer, lanes: number) {
  const failures: string[] = [];
  let done = 0;
  let stopped = false;
  const lane = async () => {
    while (!stopped && !server.stopped) {
      await server.admit().catch((error: Error) => failures.push(error.message));
      done++;
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, lane));
  return {
    get done() {
      return done;
    },
    failures,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
}
