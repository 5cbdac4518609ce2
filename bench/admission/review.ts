/** A review such as an API server sends for a pod of a Deployment that wants EPC under the other name, and quotes. */
export function admissionReview(): string {
  const managed = (manager: string, fields: object) => ({
    manager,
    operation: "Update",
    apiVersion: "v1",
    time: "2026-11-21T12:00:00Z",
    fieldsType: "FieldsV1",
    fieldsV1: fields,
  });
  const container = (name: string, more: object) => ({
    name,
    image: `registry.example/team/${name}@sha256:${"0123456789abcdef".repeat(4)}`,
    ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
    readinessProbe: { httpGet: { path: "/readyz", port: 8080, scheme: "HTTP" }, timeoutSeconds: 1, periodSeconds: 10 },
    volumeMounts: [
      { name: "configuration", mountPath: "/etc/application", readOnly: true },
      { name: "kube-api-access-x7k2p", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ],
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    imagePullPolicy: "IfNotPresent",
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
    ...more,
  });
  const amounts = { cpu: "500m", memory: "256Mi", "sgx.intel.com/epc": "64Mi" };
  const variables = Array.from({ length: 20 }, (_, i) => ({
    name: `SETTING_${i}`,
    value: `value of setting number ${i}`,
  }));
  const pod = {
    kind: "Pod",
    apiVersion: "v1",
    metadata: {
      generateName: "application-6c5f7d9b4-",
      namespace: "team",
      labels: { app: "application", "pod-template-hash": "6c5f7d9b4" },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "application-6c5f7d9b4", controller: true, uid: "u" },
      ],
      managedFields: [
        managed("kube-controller-manager", {
          "f:spec": Object.fromEntries(
            variables.map(({ name }) => [`k:{"name":"${name}"}`, { ".": {}, "f:name": {}, "f:value": {} }]),
          ),
        }),
      ],
    },
    spec: {
      volumes: [
        { name: "configuration", configMap: { name: "application", defaultMode: 420 } },
        { name: "kube-api-access-x7k2p", projected: { defaultMode: 420, sources: [{ serviceAccountToken: {} }] } },
      ],
      initContainers: [container("migrate", { env: variables })],
      containers: [
        container("enclave", {
          env: [...variables, { name: "SGX_AESM_ADDR", value: "1" }],
          resources: { limits: amounts, requests: amounts },
        }),
        container("proxy", { env: variables }),
      ],
      restartPolicy: "Always",
      serviceAccountName: "application",
      tolerations: [{ key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" }],
    },
    status: {},
  };
  return JSON.stringify({
    kind: "AdmissionReview",
    apiVersion: "admission.k8s.io/v1",
    request: {
      uid: "0fcfa4ba-6b5c-4c2e-9b7e-9b3f1e5a7c11",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      namespace: "team",
      operation: "CREATE",
      userInfo: {
        username: "system:serviceaccount:kube-system:replicaset-controller",
        groups: ["system:serviceaccounts"],
      },
      object: pod,
      oldObject: null,
      dryRun: false,
      options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
    },
  });
}

/** The same as bytes on the wire. */
export function admissionRequest(body: string): string {
  return [
    "POST /mutate/slot?timeout=5s HTTP/1.1",
    "Host: sgx-webhook.kube-system.svc:443",
    "User-Agent: kube-apiserver-admission",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Accept: application/json, */*",
    "Content-Type: application/json",
    "Accept-Encoding: gzip",
    "",
    body,
  ].join("\r\n");
}
