export { type AesmGateOptions, aesmGate } from "./aesm-gate.ts";
export {
  AUTO_DEVICE_LIMIT,
  choosePublishing,
  type PublishingChoice,
  type PublishingMode,
  type PublishingRequest,
  type RequestedMode,
} from "./choose-publishing.ts";
export { epcDeviceId, epcDeviceIndex, MAX_EPC_DEVICES } from "./device-ids.ts";
export {
  createEpcResource,
  EPC_ENDPOINT,
  type EpcResource,
  type EpcResourceOptions,
  type EpcResourceState,
} from "./epc-resource.ts";
export { DEVICE_LIST_LIMIT } from "./list-limit.ts";
export {
  createSlotResource,
  DEFAULT_SLOTS,
  MAX_SLOTS,
  type SlotKind,
  type SlotResource,
  type SlotResourceOptions,
} from "./slot-resource.ts";
