/**
 * A device plugin that is not ours: it serves our EPC resource under ids and a socket of another form, as somebody
 * else's would. Runs on a node; says one line when the kubelet listens, and stays until SIGTERM.
 *
 * usage: node foreign-plugin.ts DIRECTORY RESOURCE ENDPOINT DEVICES
 */
import { type DevicePluginReport, type PublishedResource, startDevicePlugin } from "@confcom/kubernetes";

const [directory = "", resourceName = "", endpoint = "", devices = "0"] = process.argv.slice(2);
const list = Array.from({ length: Number(devices) }, (_, index) => ({ id: `foreign-${index}`, healthy: true }));
const resource: PublishedResource = {
  resourceName,
  endpoint,
  preStartRequired: false,
  preferredAllocationAvailable: false,
  devices: () => list,
  subscribe: () => () => undefined,
  allocate: () => ({ envs: {}, mounts: [], devices: [], annotations: {} }),
  preStart: async () => undefined,
  prefer: (available, _mustInclude, size) => available.slice(0, size),
};
const report = new Proxy({} as DevicePluginReport, {
  get: (_target, event) => (details: object) => {
    if (event === "listAndWatchOpened") process.stdout.write(`listening ${JSON.stringify(details)}\n`);
  },
});
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const plugin = await startDevicePlugin({
  resources: [resource],
  directory,
  clock: { now: Date.now, setTimeout, clearTimeout },
  random: Math.random,
  report,
  signal: stop.signal,
});
await plugin.ended;
