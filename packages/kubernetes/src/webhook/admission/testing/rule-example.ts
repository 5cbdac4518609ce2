import assert from "node:assert/strict";
import { test } from "node:test";
import { type AdmissionOptions, admitPod } from "../admit-pod.ts";
import type { RefusalCode } from "../refusal.ts";
import { applyJsonPatch } from "./apply-json-patch.ts";

export const MIB = "kubernetes.azure.com/sgx_epc_mem_in_MiB";
export const BYTES = "sgx.intel.com/epc";
export const ENCLAVE = "sgx.intel.com/enclave";
export const PROVISION = "sgx.intel.com/provision";
export const QUOTE = "sgx.confcom.dev/quote";
export const PROVIDER = "sgx.intel.com/quote-provider";
export const OWN_PROVIDER = "sgx.confcom.dev/quote-provider";

export const AZURE: AdmissionOptions = {
  resourceNames: "azure",
  enclaveSlot: false,
  injection: "slot",
  aesmDirectory: "/var/run/aesmd",
};
export const INTEL: AdmissionOptions = { ...AZURE, resourceNames: "intel" };
export const MOUNT: AdmissionOptions = { ...AZURE, injection: "mount" };

export type Container = Record<string, unknown>;
export interface Pod {
  metadata: Record<string, unknown>;
  spec: Record<string, unknown>;
}

export const both = (amounts: Record<string, string>) => ({ limits: { ...amounts }, requests: { ...amounts } });
export const OPTED_IN = { env: [{ name: "SGX_AESM_ADDR", value: "1" }] };
export const container = (name: string, amounts: Record<string, string>, more: Container = {}): Container => ({
  name,
  resources: both(amounts),
  ...more,
});
export const pod = (containers: Container[], annotations: Record<string, string> = {}, more: Container = {}): Pod => ({
  metadata: { annotations },
  spec: { containers, ...more },
});
export const HOST_VOLUME = { name: "aesmd-socket", hostPath: { path: "/var/run/aesmd", type: "DirectoryOrCreate" } };
export const SHARED_VOLUME = { name: "aesmd-socket", emptyDir: { medium: "Memory" } };
export const MOUNTED = { name: "aesmd-socket", mountPath: "/var/run/aesmd" };

/** What one rule of docs/webhook.md does to one pod. */
export interface RuleExample {
  readonly rule: string;
  readonly given: Pod;
  readonly options?: AdmissionOptions;
  /** The pod without the annotation of its EPC, which has its own rule; without this the pod stays as it is. */
  readonly becomes?: Pod;
  readonly refused?: RefusalCode;
  /** In the refusal or in the only warning. */
  readonly says?: RegExp;
}

export function testRules(examples: readonly RuleExample[]): void {
  for (const [index, { rule, given, options = AZURE, becomes, refused, says }] of examples.entries()) {
    test(`rule ${rule}, example ${index + 1}`, () => {
      const { patch, warnings, refusal } = admitPod(given, options);
      assert.equal(refusal?.code, refused);
      assert.deepEqual(withoutEpcAnnotation(applyJsonPatch(given, patch)), becomes ?? given);
      const said = refusal === undefined ? [...warnings] : [refusal.message];
      if (says === undefined) assert.deepEqual(warnings, []);
      else {
        assert.equal(said.length, 1, said.join("\n"));
        assert.match(said[0] ?? "", says);
      }
    });
  }
}

function withoutEpcAnnotation(admitted: unknown): unknown {
  const { annotations } = (admitted as Pod).metadata as { annotations: Record<string, string> };
  delete annotations[BYTES];
  return admitted;
}
