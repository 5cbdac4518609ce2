import { createHash, randomBytes } from "node:crypto";
import { type Check, expect, expectEqual } from "../check.ts";
import { createReport } from "../confcom.ts";
import { type FlowAnswer, FortanixClient, verifyWithCrate, verifyWithNpm } from "../foreign-peers.ts";
import type { Scene, Subject } from "../scene.ts";
import { simulatedMacHolds } from "../simulated-report-key.ts";

export const fortanixClient: readonly Check<Scene>[] = [
  {
    name: "Fortanix's client (crate aesm-client): keys, init, quote; its QE report matches its nonce",
    deadline: 180_000,
    async run(scene) {
      const subject = await scene.subject();
      const client = await FortanixClient.connect(subject.helper.socket);
      const { keyIds } = await client.expect({ do: "keys" });
      expectEqual(keyIds?.length, 1, "number of attestation keys");
      const targetInfo = await initThrough(client, subject);
      for (const kss of [false, true]) {
        const report = await createReport({ targetInfo, kss, reportData: randomBytes(64) });
        // Without a target info of its own the client derives one from the report, which leaves CONFIGID out.
        await quoteThrough(client, scene, report, derivedTargetInfo(report), undefined);
        const own = randomBytes(512);
        await quoteThrough(client, scene, report, own, own);
      }
      client.close();
      return "4 quotes, with and without KSS, target info derived by the client and given to it; MAC by openssl";
    },
  },
  {
    name: "Fortanix's client and a debug report: a quote and a matching QE report; verifiers recorded",
    deadline: 180_000,
    async run(scene) {
      const subject = await scene.subject();
      const client = await FortanixClient.connect(subject.helper.socket);
      const targetInfo = await initThrough(client, subject);
      const report = await createReport({ targetInfo, debug: true });
      expect((Buffer.from(report).readUInt32LE(48) & 2) === 2, "report create --debug made a report without DEBUG");
      const quote = await quoteThrough(client, scene, report, derivedTargetInfo(report), undefined);
      client.close();
      const { collateral, rootPem } = subject;
      const question = { quote, collateral, rootPem, now: scene.now() };
      const npm = await verifyWithNpm(question);
      const crate = await verifyWithCrate(question, scene.places);
      const allowed = await verifyWithCrate({ ...question, allowDebug: true }, scene.places);
      expect(allowed.accepted, `dcap-qvl crate refuses a debug quote although debug is allowed: ${allowed.error}`);
      const said = (verdict: { accepted: boolean; error?: string }) =>
        verdict.accepted ? "accepts" : `refuses (${verdict.error})`;
      return `client: as any other; npm dcap-qvl ${said(npm)}; crate dcap-qvl ${said(crate)}, and accepts with allow_debug`;
    },
  },
];

async function initThrough(client: FortanixClient, subject: Subject): Promise<Buffer> {
  const { targetInfo, pubKeyId } = await client.expect({ do: "init" });
  expectEqual(pubKeyId, subject.pubKeyId, "pub_key_id that Fortanix's client got");
  expectEqual(targetInfo, Buffer.from(subject.targetInfo).toString("hex"), "target info that Fortanix's client got");
  return Buffer.from(subject.targetInfo);
}

/** One get_quote_ex with a fresh nonce; checks quote and QE report as the client's caller would. */
async function quoteThrough(
  client: FortanixClient,
  scene: Scene,
  report: Uint8Array,
  qeReportFor: Uint8Array,
  given: Uint8Array | undefined,
): Promise<Buffer> {
  const nonce = randomBytes(16);
  const command: Record<string, string> = { do: "quote", report: hex(report), nonce: hex(nonce) };
  if (given !== undefined) command.targetInfo = hex(given);
  const answer: FlowAnswer = await client.expect(command);
  const quote = Buffer.from(answer.quote ?? "", "hex");
  const qeReport = Buffer.from(answer.qeReport ?? "", "hex");
  expectEqual(qeReport.length, 432, "size of the QE report");
  expect(quote.subarray(48, 432).equals(report.subarray(0, 384)), "the quote holds another report body");
  const hash = createHash("sha256").update(nonce).update(quote).digest();
  const reportData = Buffer.concat([hash, Buffer.alloc(32)]);
  expect(qeReport.subarray(320, 384).equals(reportData), "the QE report's data is not SHA-256 of nonce and quote");
  expect(await simulatedMacHolds(scene.openssl, qeReport, qeReportFor), "the QE report's MAC does not hold");
  const otherTarget = Buffer.from(qeReportFor);
  otherTarget.writeUInt8(otherTarget.readUInt8(0) ^ 1, 0);
  expect(!(await simulatedMacHolds(scene.openssl, qeReport, otherTarget)), "the QE report holds for any enclave");
  return quote;
}

/** The target info that the client makes of a report: MRENCLAVE, ATTRIBUTES and MISCSELECT, the rest zero. */
function derivedTargetInfo(report: Uint8Array): Buffer {
  const source = Buffer.from(report);
  const target = Buffer.alloc(512);
  source.copy(target, 0, 64, 96);
  source.copy(target, 32, 48, 64);
  source.copy(target, 52, 16, 20);
  return target;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
