export { FakeCluster, type StoredObject } from "../addon/testing/fake-cluster.ts";
export { type ServedCluster, serveCluster } from "../addon/testing/fake-cluster-server.ts";
export { FakeApiServer } from "./fake-api-server/fake-api-server.ts";
export { until } from "./until.ts";
