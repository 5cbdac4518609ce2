export { type DaemonEnd, DevicePluginDaemon, type DevicePluginDaemonOptions } from "./device-plugin-daemon.ts";
export { listens } from "./socket-listener.ts";
