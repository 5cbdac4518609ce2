import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeCluster, type StoredObject, serveCluster } from "@confcom/kubernetes/testing";
import { Command } from "commander";
import { register as registerAddon } from "../commands/addon.ts";
import { register as registerDisable } from "../commands/disable-addons.ts";
import { register as registerEnable } from "../commands/enable-addons.ts";
import { describeFailure, failureLines } from "../failure.ts";
import type { Output } from "../terminal/output.ts";
import { chooseStyle } from "../terminal/style.ts";
import { VERSION } from "../version.ts";

// Each file of transcripts/ is one cluster and what commands say on it, one after the other: command line, exit status,
// standard output and standard error. WRITE_TRANSCRIPTS=1 writes them anew, to be read before they are kept.

const DIRECTORY = fileURLToPath(new URL("./transcripts/", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "confcom-transcripts-"));
after(() => rmSync(scratch, { recursive: true }));

function podWithEpc(): StoredObject {
  const containers = [{ name: "main", resources: { limits: { "sgx.intel.com/epc": "10Mi" } } }];
  const metadata = { name: "sgx-test", namespace: "default" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { nodeName: "sgx-1", containers },
    status: { phase: "Running" },
  };
}

/** Words of a transcript that stand for no command. */
const HAPPENINGS: Readonly<Record<string, (cluster: FakeCluster) => void>> = {
  "# a pod with EPC starts": (cluster) => cluster.put(podWithEpc()),
  "# somebody else has a DaemonSet of this name": (cluster) =>
    cluster.put({
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "sgx-plugin", namespace: "kube-system" },
      spec: { template: { spec: { priorityClassName: "theirs" } } },
    }),
  "# a newer confcom has written the state": (cluster) => {
    const path = "/api/v1/namespaces/kube-system/configmaps/sgx-addon";
    const state = cluster.object(path) as StoredObject & { data: object };
    cluster.put({ ...state, data: { ...state.data, "readable-by": "2", version: "9.0.0" } });
  },
};

for (const name of readdirSync(DIRECTORY)) {
  test(`transcript ${name}`, async () => {
    const file = join(DIRECTORY, name);
    const written = readFileSync(file, "utf8");
    const cluster = new FakeCluster();
    const served = await serveCluster(cluster);
    const kubeconfig = join(scratch, `${name}.kubeconfig`);
    writeFileSync(kubeconfig, served.kubeconfig);
    let said = "";
    try {
      for (const line of written.split("\n").filter((text) => /^[$#] /.test(text))) {
        said += `${line}\n`;
        if (line.startsWith("# ")) HAPPENINGS[line]?.(cluster);
        else said += await ran(line.slice(2), kubeconfig);
      }
    } finally {
      await served.close();
    }
    if (process.env.WRITE_TRANSCRIPTS === "1") writeFileSync(file, said);
    else assert.equal(said, written);
  });
}

test("every happening of a transcript is known", () => {
  for (const name of readdirSync(DIRECTORY)) {
    for (const line of readFileSync(join(DIRECTORY, name), "utf8").split("\n")) {
      if (line.startsWith("# ")) assert.ok(Object.hasOwn(HAPPENINGS, line), line);
    }
  }
});

async function ran(line: string, kubeconfig: string): Promise<string> {
  const [program, ...words] = line.split(" ");
  assert.equal(program, "confcom");
  const text = { out: "", err: "" };
  let status = 0;
  const out = (more: string) => {
    text.out += more;
  };
  const output: Output = {
    style: chooseStyle({ NO_COLOR: "1" }, false),
    line: (one = "") => out(`${one}\n`),
    json: (value) => out(`${JSON.stringify(value, undefined, 2)}\n`),
    jsonLine: (value) => out(`${JSON.stringify(value)}\n`),
    raw: (bytes) => out(new TextDecoder().decode(bytes)),
    note: (one) => {
      text.err += `${one}\n`;
    },
  };
  const commands = new Command("confcom").exitOverride();
  for (const register of [registerAddon, registerEnable, registerDisable]) {
    register(commands, output, (code) => {
      status = code;
    });
  }
  const needsCluster = words[1] !== "list-available";
  const argv = needsCluster ? [...words, "--kubeconfig", kubeconfig] : words;
  await commands.parseAsync(argv, { from: "user" }).catch(async (error: unknown) => {
    const failure = await describeFailure(error);
    for (const one of failureLines(failure, output.style)) output.note(one);
    status = failure.exitCode;
  });
  const shown = (stream: string, content: string) => (content === "" ? "" : `${stream}:\n${indented(steady(content))}`);
  return `exit status ${status}\n${shown("stdout", text.out)}${shown("stderr", text.err)}\n`;
}

const indented = (text: string) => text.replace(/^(?=.)/gm, "  ");

/** Without what another run or version has otherwise. */
function steady(text: string): string {
  return text
    .replaceAll(VERSION, "VERSION")
    .replaceAll(scratch, "DIRECTORY")
    .replace(/\b\d+ (created|changed|unchanged|pruned|kept)\b/g, "N $1")
    .replace(/"(created|changed|unchanged|pruned|kept)": \d+/g, '"$1": N')
    .replace(/^ *\d+\.\d s /gm, "      T s ")
    .replace(/"seconds": [\d.]+/g, '"seconds": T');
}
