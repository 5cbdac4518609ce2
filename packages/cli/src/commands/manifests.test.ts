import assert from "node:assert/strict";
import { test } from "node:test";
import { manifestValues, renderManifests } from "@confcom/kubernetes/manifests";
import { Command } from "commander";
import type { Output } from "../terminal/output.ts";
import { register as registerDevicePlugin } from "./device-plugin.ts";
import { register as registerManifests } from "./manifests.ts";
import { register as registerNodeStatus } from "./node-status.ts";
import { register as registerPccs } from "./pccs.ts";
import { register as registerQuoteHelper } from "./quote-helper.ts";
import { register as registerWebhook } from "./webhook.ts";

/** What a command printed, as text; anything else than bytes and JSON fails the test. */
class Printed {
  text = "";
  readonly output = {
    raw: (bytes: Uint8Array) => {
      this.text += new TextDecoder().decode(bytes);
    },
    json: (value: unknown) => {
      this.text += JSON.stringify(value);
    },
  } as unknown as Output;
}

function program(output: Output): Command {
  const command = new Command("confcom").exitOverride();
  const daemons = [registerDevicePlugin, registerNodeStatus, registerQuoteHelper, registerPccs, registerWebhook];
  for (const register of [...daemons, registerManifests]) register(command, output);
  return command;
}

async function print(...args: string[]): Promise<string> {
  const printed = new Printed();
  await program(printed.output).parseAsync(["manifests", ...args], { from: "user" });
  return printed.text;
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
}
interface PodTemplate {
  readonly spec?: { readonly template?: { readonly spec: Record<"containers" | "initContainers", Container[]> } };
}

test("every container's arguments are options that its command has", () => {
  const all = {
    provisionWithEpc: true,
    numa: true,
    cpuidInit: true,
    epcMiB: 64,
    listenAddress: "[::]",
    pccs: { upstream: "intel", storage: { hostPath: "/pccs" }, nodeSelector: { pccs: "here" } },
  };
  const commands = program(new Printed().output).commands;
  let containers = 0;
  const elsewhere = { resourceNames: "intel", pccs: { url: "https://pccs.example:8081" } };
  for (const given of [{}, all, elsewhere, { webhook: { enabled: false }, pccs: { enabled: false } }]) {
    for (const object of renderManifests(manifestValues(given), { version: "1" }) as readonly PodTemplate[]) {
      const pod = object.spec?.template?.spec;
      for (const { name, args } of [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])]) {
        const command = commands.find((one) => one.name() === args[0]);
        assert.ok(command, `${name}: there is no command ${args[0]}`);
        const verb = command.commands.find((one) => one.name() === args[1]);
        const { operands, unknown } = (verb ?? command).parseOptions(args.slice(verb === undefined ? 1 : 2));
        assert.deepEqual([operands, unknown], [[], []], name);
        containers++;
      }
    }
  }
  assert.equal(containers, 7 + 8 + 4 + 3);
});

test("YAML by default, one List with --json, one part with --only, values by --set", async () => {
  assert.match(await print(), /^---\napiVersion: v1\nkind: ServiceAccount\n/);
  const list = JSON.parse(await print("--json", "--only", "quote-helper", "--set", "namespace=sgx"));
  assert.deepEqual([list.kind, list.items.length], ["List", 2]);
  assert.equal(list.items[1].metadata.namespace, "sgx");
});

test("a wrong value is refused by name", async () => {
  await assert.rejects(print("--set", "imgae=x"), { code: "MANIFEST_VALUE", message: /^value imgae: it is unknown/ });
  await assert.rejects(print("--values", "/nonexistent"), { code: "CLI_INPUT_UNREADABLE" });
});
