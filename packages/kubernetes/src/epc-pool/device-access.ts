import type { ContainerAllocation } from "../device-plugin/published-resource.ts";
import { KubernetesError } from "../errors.ts";
import type { SgxDevice, SgxDevices } from "../sgx-node/sgx-devices.ts";

/**
 * Names that a device gets inside containers: of the in-tree driver, and of the DCAP driver before it, below which old
 * SDKs look (spec: Kubernetes §2). The kubelet keeps one device per container path, so that a container which holds
 * EPC and an enclave slot gets each name once: both resources must name the same host path for it, and do.
 */
const CONTAINER_NAMES = {
  enclave: ["/dev/sgx_enclave", "/dev/sgx/enclave"],
  provision: ["/dev/sgx_provision", "/dev/sgx/provision"],
} as const;

export type SgxDeviceRole = keyof typeof CONTAINER_NAMES;

export const NOTHING: ContainerAllocation = { envs: {}, mounts: [], devices: [], annotations: {} };

/** A device under both of its names, readable and writable. */
export function deviceSpecs(role: SgxDeviceRole, device: SgxDevice): ContainerAllocation["devices"] {
  return CONTAINER_NAMES[role].map((containerPath) => ({
    containerPath,
    hostPath: device.hostPath,
    permissions: "rw",
  }));
}

/**
 * What a right to a device gives, by what is there now; throws as {@link requireDevice} does. With `--provision-with-epc` the right to
 * the enclave device gives the provisioning device too, where there is one.
 */
export function deviceAllocation(role: SgxDeviceRole, found: SgxDevices, provisionToo: boolean): ContainerAllocation {
  const devices = [...deviceSpecs(role, requireDevice(role, found))];
  if (provisionToo && role === "enclave" && found.provision !== undefined) {
    devices.push(...deviceSpecs("provision", found.provision));
  }
  return { ...NOTHING, devices };
}

/** The device, or the refusal that the pod's owner reads in the pod's events: `SGX_DEVICE_MISSING`, `SGX_PROVISION_MISSING`. */
export function requireDevice(role: SgxDeviceRole, devices: SgxDevices): SgxDevice {
  const device = devices[role];
  if (device !== undefined) return device;
  const names = CONTAINER_NAMES[role][0];
  const found = devices.problems.map(({ message }) => message).join("; ");
  throw new KubernetesError(
    role === "enclave" ? "SGX_DEVICE_MISSING" : "SGX_PROVISION_MISSING",
    `this node's SGX device ${names} is gone${found === "" ? "" : ` (${found})`}: the container cannot start until it is back`,
  );
}
