import { Quote3 } from "@confcom/sgx";
import { verifyQuote } from "@confcom/verify";
import { nodeCrypto } from "@confcom/verify/node";
import { type RealSubject, realSubjects } from "@confcom/verify/testing";
import { pageAnswer } from "../browser/answer.ts";
import { bundleForBrowser } from "../browser/bundle.ts";
import { chromiumVersion, withPage } from "../browser/chromium.ts";
import { PageServer } from "../browser/page-server.ts";
import type { PageAnswer, PageQuestion } from "../browser/question.ts";
import { type Check, expect, expectEqual } from "../check.ts";
import type { Scene } from "../scene.ts";

/** One quote for SGX, one for TDX, both of real platforms. */
const NAMES = ["sgx_v3_f8b81014b6e4", "tdx_v4_f1c850330112"];
/** Of a body: byte 320 of an enclave's report is report data, of a TD's it is within a measurement. */
const FLIPPED_BYTE = 48 + 320;

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function question({ quote, collateral, trustedRoot, now }: RealSubject): PageQuestion {
  return { quote: base64(quote), collateral, trustedRoot: base64(trustedRoot), now: now.getTime() / 1000 };
}

function flipped(subject: RealSubject): RealSubject {
  const quote = subject.quote.slice();
  quote[FLIPPED_BYTE] = (quote[FLIPPED_BYTE] as number) ^ 1;
  return { ...subject, quote };
}

function inNode({ quote, collateral, trustedRoot, now }: RealSubject): PageAnswer {
  return pageAnswer(verifyQuote(quote, collateral, { now, trustedRoots: [trustedRoot], crypto: nodeCrypto }));
}

async function inPage(subjects: readonly RealSubject[], scene: Scene) {
  const { script } = await bundleForBrowser("page.ts");
  const server = await PageServer.start(script, subjects.map(question));
  try {
    const { state: profile } = scene.places.fresh();
    const report = await withPage(server.url, profile, server.report);
    expect(report.error === undefined, `the page failed: ${report.error}`);
    expectEqual(report.answers.length, subjects.length, "answers of the page");
    return report.answers;
  } finally {
    server.close();
  }
}

export const browser: readonly Check<Scene>[] = [
  {
    name: "browser: packages/verify bundles without anything of Node",
    deadline: 60_000,
    async run() {
      const { bytes, gzipped } = await bundleForBrowser("@confcom/verify");
      return `${bytes} bytes minified, ${gzipped} gzipped, all of its exports`;
    },
  },
  {
    name: "browser: a page of Chromium verifies a real SGX and a real TDX quote as recorded, and refuses a flipped bit",
    deadline: 120_000,
    async run(scene) {
      const version = await chromiumVersion();
      const real = realSubjects().filter(({ name }) => NAMES.some((wanted) => name.startsWith(wanted)));
      expectEqual(real.length, NAMES.length, "real quotes with collateral");
      const subjects = [...real, ...real.map(flipped)];
      const answers = await inPage(subjects, scene);
      for (const [i, subject] of subjects.entries()) {
        const { name, recorded } = subject;
        const answer = answers[i] as PageAnswer;
        expectEqual(JSON.stringify(answer), JSON.stringify(inNode(subject)), `${name}, in the page and in Node`);
        if (i < real.length) {
          expectEqual(answer.ret, 0, `${name}: ret (${answer.reason})`);
          expectEqual(answer.result, recorded.result, `${name}: verdict`);
          expectEqual(answer.collateralExpired, recorded.expired, `${name}: expiry`);
          expectEqual(answer.advisoryList, recorded.advisories, `${name}: advisories`);
        } else {
          expectEqual(answer.ret, Quote3.RESULT_INVALID_SIGNATURE, `${name} with a flipped bit: ret`);
        }
      }
      return `${version}: ${real.map(({ recorded }) => recorded.result).join(", ")}; ${real.length} flipped refused`;
    },
  },
];
