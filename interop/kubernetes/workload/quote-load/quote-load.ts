import { fileURLToPath } from "node:url";
import { expect } from "../../../check.ts";
import { until } from "../../observe/until.ts";
import type { ClusterScene } from "../../scene.ts";
import { podManifest } from "../pod-manifest.ts";
import { programText } from "../program.ts";
import type { LoadLine, LoadTotals } from "./report-line.ts";

const QUOTE_SLOT = "sgx.confcom.dev/quote";
const PROGRAM = "quote-load-program";

export interface LoadWindow extends LoadTotals {
  readonly seconds: number;
  /** Longest time between the start of a failed raw call and the next that succeeded; 0 without a failure. */
  readonly longestGapMs: number;
  readonly gaps: readonly (LoadLine & { kind: "gap" })[];
  readonly failures: readonly (LoadLine & { kind: "failure" })[];
  readonly pubKeyIds: readonly string[];
}

let bundled: Promise<string> | undefined;

/** Bundled once for all loads. */
function program(): Promise<string> {
  bundled ??= programText(fileURLToPath(new URL("main.ts", import.meta.url)));
  return bundled;
}

/** An application on one node that never stops asking for quotes: a pod in a restricted namespace with a quote slot. */
export class QuoteLoad {
  readonly pod: string;
  readonly node: string;
  readonly #scene: ClusterScene;

  private constructor(scene: ClusterScene, node: string, pod: string) {
    this.#scene = scene;
    this.node = node;
    this.pod = pod;
  }

  static async start(scene: ClusterScene, node: string, name: string): Promise<QuoteLoad> {
    const { applications: namespace } = scene;
    const data = { "main.mjs": await program() };
    const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: PROGRAM, namespace }, data };
    const path = `/api/v1/namespaces/${namespace}/configmaps`;
    const { status, body } = await scene.api.send("POST", path, { body: configMap });
    expect(status === 201 || status === 409, `the load's program: ${status}: ${body.slice(0, 300)}`);
    await scene.api.create(
      podManifest({
        name,
        namespace,
        node,
        image: scene.images.confcom,
        command: ["/usr/bin/node", "/program/main.mjs"],
        limits: { [QUOTE_SLOT]: 1 },
        volumes: [{ name: "program", configMap: { name: PROGRAM } }],
        mounts: [{ name: "program", mountPath: "/program", readOnly: true }],
      }),
    );
    const load = new QuoteLoad(scene, node, name);
    await until(`the load ${name} gets quotes`, 30_000, async () => {
      const last = totalsAt(await load.lines(), Number.POSITIVE_INFINITY);
      expect(last.quotes > 0, `${last.quotes} quotes, ${last.quotesFailed} failed`);
    });
    return load;
  }

  async lines(): Promise<readonly LoadLine[]> {
    const text = await this.#scene.api.log(this.#scene.applications, this.pod);
    return text
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as LoadLine);
  }

  /** What happened from `from` to now (milliseconds since 1970). A gap that has not ended yet has no end to measure. */
  async since(from: number): Promise<LoadWindow> {
    const now = Date.now();
    const { value: lines } = await until("the load's report", 15_000, async () => {
      const lines = await this.lines();
      expect(
        lines.some((line) => line.kind === "tick" && line.at >= now),
        "no tick since then",
      );
      return lines;
    });
    const before = totalsAt(lines, from);
    const after = totalsAt(lines, Number.POSITIVE_INFINITY);
    const gaps = lines.filter((line) => line.kind === "gap").filter((line) => line.to >= from);
    const keys = lines.filter((line) => line.kind === "key");
    const keyBefore = keys.filter((line) => line.at < from).at(-1);
    return {
      seconds: (now - from) / 1000,
      raw: after.raw - before.raw,
      rawFailed: after.rawFailed - before.rawFailed,
      quotes: after.quotes - before.quotes,
      quotesFailed: after.quotesFailed - before.quotesFailed,
      gaps,
      longestGapMs: Math.max(0, ...gaps.map((gap) => gap.to - gap.from)),
      failures: lines.filter((line) => line.kind === "failure").filter((line) => line.at >= from),
      pubKeyIds: [
        ...new Set([keyBefore, ...keys.filter((line) => line.at >= from)].flatMap((line) => line?.pubKeyId ?? [])),
      ],
    };
  }

  async stop(): Promise<void> {
    await this.#scene.api.deletePod(this.#scene.applications, this.pod, 1);
  }
}

function totalsAt(lines: readonly LoadLine[], time: number): LoadTotals {
  const tick = lines.filter((line) => line.kind === "tick").findLast((line) => line.at <= time);
  return tick?.totals ?? { raw: 0, rawFailed: 0, quotes: 0, quotesFailed: 0 };
}
