/**
 * Brings a cluster of one node up, runs a pod on it, says `ready` and waits to be killed.
 *
 * usage: node doomed-harness.ts NAME DIRECTORY BINARIES PAUSE-ARCHIVE PROBE-ARCHIVE
 */
import { stringify } from "yaml";
import { startCluster } from "../cluster/start-cluster.ts";
import { podManifest } from "./pod-manifest.ts";

const [name = "", directory = "", binaries = "", pauseImage = "", probe = ""] = process.argv.slice(2);
const nodes = [{ name: "doomed-1", sgx: { epcMiB: 64 } }];
const cluster = await startCluster({ name, directory, binaries, pauseImage, nodes, log: () => undefined });
await cluster.loadImage(probe);
const image = "localhost/confcom-probe:1";
await cluster.apply(stringify(podManifest({ name: "stays", namespace: "default", image, args: ["--hold"] })));
await cluster.kubectl(["wait", "--for=condition=Ready", "pod/stays", "--timeout=60s"]);
process.stdout.write("ready\n");
setInterval(() => undefined, 60_000);
