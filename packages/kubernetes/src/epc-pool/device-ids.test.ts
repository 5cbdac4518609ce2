import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { epcDeviceId, epcDeviceIndex, MAX_EPC_DEVICES } from "./device-ids.ts";

describe("ids of EPC devices", () => {
  it("are numbers in base 64 with the digits of base64url, shortest form", () => {
    const known: [number, string][] = [
      [0, "A"],
      [25, "Z"],
      [26, "a"],
      [62, "-"],
      [63, "_"],
      [64, "BA"],
      [4_095, "__"],
      [4_096, "BAA"],
      [65_535, "P__"],
      [262_143, "___"],
    ];
    for (const [index, id] of known) {
      assert.equal(epcDeviceId(index), id);
      assert.equal(epcDeviceIndex(id), index);
    }
  });

  it("all 262,144 differ and lead back", () => {
    const seen = new Set<string>();
    for (let index = 0; index < MAX_EPC_DEVICES; index++) {
      const id = epcDeviceId(index);
      seen.add(id);
      if (epcDeviceIndex(id) !== index) assert.fail(`${index} ${id}`);
    }
    assert.equal(seen.size, MAX_EPC_DEVICES);
  });

  it("anything else is none: other characters, leading zeros, four characters", () => {
    for (const id of ["", "AA", "AAB", "A0", "BAAA", "+", "é", "e 1", "\0", "sgx-1"]) {
      assert.equal(epcDeviceIndex(id), undefined, id);
    }
    fc.assert(
      fc.property(fc.string(), (id) => {
        const index = epcDeviceIndex(id);
        return index === undefined || epcDeviceId(index) === id;
      }),
    );
  });

  it("there is no id beyond three characters", () => {
    for (const index of [-1, 262_144, 0.5, Number.NaN]) assert.throws(() => epcDeviceId(index), RangeError);
  });
});
