import { type Check, expect, expectEqual } from "../check.ts";
import { CPU_SVNS, type CpuSvn, confcom, confcomStatus, createReport, fixture } from "../confcom.ts";
import { AesmAnswer, getQuote, type Scene } from "../scene.ts";
import { simulatedMacHolds } from "../simulated-report-key.ts";
import { allAccept, allRefuse } from "./quote-verifiers.ts";

interface SimulatedReport {
  readonly seed: number;
  readonly cpuSvn: CpuSvn;
  readonly targetInfo: string;
  readonly report: string;
}

/** Made by the EREPORT emulation of Intel's SDK. */
function simulatedReports(): SimulatedReport[] {
  return JSON.parse(fixture("sdk-simulation/reports.json").toString("utf8")) as SimulatedReport[];
}

/** What the platform's CPUSVN means for its TCB level. */
const STATUS: Readonly<Record<CpuSvn, string>> = { default: "UpToDate", upgraded: "UpToDate", downgraded: "OutOfDate" };

export const simulatedReportChecks: readonly Check<Scene>[] = [
  {
    name: "24 reports of Intel's SDK simulation: report verify calls each valid, and none with a flipped bit",
    deadline: 180_000,
    async run(scene) {
      const reports = simulatedReports();
      expectEqual(reports.length, 24, "reports in the fixture");
      const lines = reports.map(({ targetInfo, report }) => JSON.stringify({ targetInfo, report }));
      const output = await confcom([
        "report",
        "verify",
        "--jsonl",
        scene.places.file("reports.jsonl", `${lines.join("\n")}\n`),
      ]);
      expectEqual(verdicts(output.toString("utf8")), "valid ".repeat(24).trim(), "report verify");
      const broken = reports.map(({ targetInfo, report }, index) => {
        const bytes = Buffer.from(report, "hex");
        bytes.writeUInt8(bytes.readUInt8(index) ^ 1, index);
        return JSON.stringify({ targetInfo, report: bytes.toString("hex") });
      });
      const path = scene.places.file("broken.jsonl", `${broken.join("\n")}\n`);
      const refused = await confcomStatus(["report", "verify", "--jsonl", path]);
      expectEqual(verdicts(refused.stdout), "invalid ".repeat(24).trim(), "report verify with a flipped bit");
      expect(refused.status !== 0, "report verify exits 0 although no report is valid");
      for (const { targetInfo, report, seed } of reports) {
        const holds = await simulatedMacHolds(
          scene.openssl,
          Buffer.from(report, "hex"),
          Buffer.from(targetInfo, "hex"),
        );
        expect(holds, `openssl's CMAC disagrees about report ${seed}`);
      }
      return "24 valid, 24 flipped invalid; openssl's CMAC says the same of the 24";
    },
  },
  {
    name: "the same 24 sent as they are: 47 each, because they are for another enclave",
    deadline: 180_000,
    async run(scene) {
      const { helper, quoteSize } = await scene.subject();
      for (const { report, seed } of simulatedReports()) {
        const answer = await getQuote(helper.socket, Buffer.from(report, "hex"), quoteSize).then(
          () => 0,
          (error: unknown) => (error instanceof AesmAnswer ? error.code : Promise.reject(error)),
        );
        expectEqual(answer, 47, `report ${seed}`);
      }
      return "24 x errorCode 47";
    },
  },
  {
    name: "report create on the QE's target info: a quote all verifiers accept, every CPUSVN x KSS",
    deadline: 480_000,
    async run(scene) {
      let quotes = 0;
      let previousRoot: string | undefined;
      for (const platform of CPU_SVNS) {
        const { helper, targetInfo, quoteSize, collateral, rootPem } = await scene.makeSubject({ cpuSvn: platform });
        for (const cpuSvn of CPU_SVNS) {
          for (const kss of [false, true]) {
            const report = await createReport({ targetInfo, cpuSvn, kss, randomKeyId: true });
            expect(
              await simulatedMacHolds(scene.openssl, report, targetInfo),
              "openssl's CMAC disagrees about the report",
            );
            expectEqual((Buffer.from(report).readUInt32LE(48) & 0x80) !== 0, kss, "KSS attribute of the report");
            const quote = await getQuote(helper.socket, report, quoteSize);
            const question = { quote, collateral, rootPem, now: scene.now() };
            await allAccept(question, STATUS[platform], scene);
            if (previousRoot !== undefined && cpuSvn === "default" && !kss) {
              await allRefuse({ ...question, rootPem: previousRoot }, "a quote under another platform's root", scene);
            }
            quotes++;
          }
        }
        previousRoot = rootPem;
        await helper.stop();
      }
      return `${quotes} quotes: 3 platform CPUSVNs x 3 report CPUSVNs x KSS, random KEYIDs; downgraded is OutOfDate, the others UpToDate`;
    },
  },
];

/** The `mac` values of report verify's output lines, in order. */
function verdicts(jsonLines: string): string {
  const lines = jsonLines.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => String((JSON.parse(line) as { mac: unknown }).mac)).join(" ");
}
