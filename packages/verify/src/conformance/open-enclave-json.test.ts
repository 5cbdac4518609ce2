import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { parseQeIdentity } from "../collateral/qe-identity.ts";
import { parseTcbInfo } from "../collateral/tcb-info.ts";
import { Rejection } from "../status.ts";

const FOLDER = new URL("../fixtures/open-enclave-json/", import.meta.url);

function files(folder: string): string[] {
  return readdirSync(new URL(folder, FOLDER)).sort();
}

function text(folder: string, name: string): string {
  return readFileSync(new URL(`${folder}/${name}`, FOLDER), "utf8");
}

/** Why a document is refused; undefined if it is accepted. */
function refusal(folder: string, json: string): string | undefined {
  try {
    if (folder.startsWith("qeidentity")) parseQeIdentity(new TextEncoder().encode(json));
    else parseTcbInfo(new TextEncoder().encode(json));
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Rejection, String(error));
    return error.message;
  }
}

/** What a file's name says. */
function isBroken(name: string): boolean {
  return /Negative|_missing_/.test(name);
}

/** A TCB info of version 2 as the name of the file means it: Open Enclave takes one without pceId. */
function withPceId(json: string): string {
  return json.includes('"pceId"') ? json : json.replace('"fmspc"', '"pceId": "0000", "fmspc"');
}

/** Every document whose name says something else than the reference verifier does, and why (spec: DCAP §9, §16 13d). */
const DIFFERENT: Readonly<Record<string, string>> = {
  // Refused, though the name calls them good.
  "tcbInfo.json": "the field pceId is missing",
  "tcbInfoAdvisoryIds.json": "the field pceId is missing",
};

/** With a pceId: accepted, though the name calls them broken. */
const ACCEPTED_WITH_PCE_ID: Readonly<Record<string, (tcbInfo: ReturnType<typeof parseTcbInfo>) => boolean>> = {
  // 257 is cut to 1.
  "tcbInfoNegativeCompSvn.json": ({ tcbLevels }) =>
    tcbLevels.some(({ cut, sgxComponents }) => cut && sgxComponents[0] === 1),
  // 65537 stays as it is: no platform reaches that level.
  "tcbInfoNegativePceSvn.json": ({ tcbLevels }) => tcbLevels.some(({ pceSvn }) => pceSvn === 65537),
};

/** With a pceId: what each broken document is refused for. */
const REASON_WITH_PCE_ID: Readonly<Record<string, string>> = {
  "tcbInfoNegativeFloat.json": "the field version has a wrong value",
  "tcbInfoNegativeIntegerOverflow.json": "the field version has a wrong value",
  "tcbInfoNegativeIntegerWithSign.json": "the field version has a wrong value",
  "tcbInfoNegativeInvalidIssueDate.json": "the field issueDate has a wrong value",
  "tcbInfoNegativeInvalidNextUpdate.json": "the field nextUpdate has a wrong value",
  "tcbInfoNegativeMissingNextUpdate.json": "the field nextUpdate is missing",
  "tcbInfoNegativePropertyMissingLevel0.json": "the signature is missing",
  "tcbInfoNegativePropertyMissingLevel1.json": "the field version is missing",
  "tcbInfoNegativePropertyMissingLevel2.json": "the field tcbDate is missing",
  "tcbInfoNegativePropertyMissingLevel3.json": "the field pcesvn is missing",
  "tcbInfoNegativePropertyWrongTypeLevel0.json": "the signature is not 128 hexadecimal digits",
  "tcbInfoNegativePropertyWrongTypeLevel1.json": "the field fmspc has a wrong value",
  "tcbInfoNegativePropertyWrongTypeLevel2.json": "the field tcbStatus has a wrong value",
  "tcbInfoNegativePropertyWrongTypeLevel3.json": "the field sgxtcbcomp06svn has a wrong value",
  "tcbInfoNegativeSignature.json": "the signature is not 128 hexadecimal digits",
  "tcbInfoNegativeStringEscape.json": "the field issueDate has a wrong value",
  "tcbInfoNegativeTcbType.json": "the TCB type 1 is not 0",
};

describe("Open Enclave's TCB infos of version 2 and 3", () => {
  for (const folder of ["data_v2", "data_v3"]) {
    for (const name of files(folder)) {
      it(`${folder}/${name}`, () => {
        const found = refusal(folder, text(folder, name));
        if (name in DIFFERENT) assert.match(found ?? "accepted", new RegExp(DIFFERENT[name] as string));
        else assert.equal(found !== undefined, isBroken(name), found ?? "accepted");
      });
    }
  }
});

describe("Open Enclave's TCB infos of version 2, given the pceId that all but one lack", () => {
  for (const name of files("data_v2")) {
    it(name, () => {
      const json = withPceId(text("data_v2", name));
      const accepted = ACCEPTED_WITH_PCE_ID[name];
      if (accepted !== undefined) assert.ok(accepted(parseTcbInfo(new TextEncoder().encode(json))));
      else if (isBroken(name)) assert.equal(refusal("data_v2", json), `TCB info: ${REASON_WITH_PCE_ID[name]}`);
      else assert.equal(refusal("data_v2", json), undefined);
    });
  }
});

describe("Open Enclave's QE identities of version 2", () => {
  for (const name of files("qeidentity_data_v2")) {
    it(name, () => {
      const found = refusal("qeidentity_data_v2", text("qeidentity_data_v2", name));
      assert.equal(found !== undefined, isBroken(name), found ?? "accepted");
    });
  }
});

describe("Open Enclave's documents of version 1", () => {
  for (const folder of ["data", "qeidentity_data"]) {
    for (const name of files(folder)) {
      it(`${folder}/${name} is refused`, () => assert.notEqual(refusal(folder, text(folder, name)), undefined));
    }
  }

  it("whole and sound ones are refused for their version", () => {
    assert.equal(refusal("data", text("data", "tcbInfo.json")), "TCB info: version 1 is not 2 or 3");
    assert.equal(refusal("data", text("data", "tcbInfo_with_pceid.json")), "TCB info: version 1 is not 2 or 3");
    // Version 1 of a QE identity is another document: its member is called qeIdentity.
    const identity = text("qeidentity_data", "qe_identity_ok.json");
    assert.equal(refusal("qeidentity_data", identity), "QE identity: the field enclaveIdentity is not an object");
    const renamed = identity.replace(/"qeIdentity"/i, '"enclaveIdentity"');
    assert.equal(refusal("qeidentity_data", renamed), "QE identity: version 1 is not 2");
  });
});

it("all 77 files are read", () => {
  const folders = ["data", "data_v2", "data_v3", "qeidentity_data", "qeidentity_data_v2"];
  assert.deepEqual(
    folders.map((folder) => files(folder).length),
    [20, 22, 2, 13, 20],
  );
});
