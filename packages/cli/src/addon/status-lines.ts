import type { AddonStatus, NodeFigures, Problem } from "@confcom/kubernetes/addon";
import { printable } from "../terminal/printable.ts";
import type { Style } from "../terminal/style.ts";
import { columns } from "./status-columns.ts";

/** The status as a person reads it: what is wrong comes last, where a terminal ends. */
export function statusLines(status: AddonStatus, style: Style): string[] {
  return [
    headline(status, style),
    ...section(componentRows(status, style), style),
    ...section(nodeRows(status, style), style),
    ...section(podRows(status), style),
    ...facts(status, style),
    ...status.problems.flatMap((problem) => problemLines(problem, style)),
  ];
}

function headline({ namespace, problems }: AddonStatus, style: Style): string {
  const count = (severity: string) => problems.filter((each) => each.severity === severity).length;
  const errors = count("error");
  const warnings = count("warning");
  const plural = (number: number, word: string) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const told = [
    ...(errors === 0 ? [] : [style.bad(plural(errors, "error"))]),
    ...(warnings === 0 ? [] : [style.caution(plural(warnings, "warning"))]),
  ];
  const verdict = told.length === 0 ? style.good("no problems") : told.join(", ");
  return `${style.strong("confcom")} in ${printable(namespace)}: ${verdict}`;
}

/** A table with a heading, set off by an empty line; nothing where there is only the heading. */
function section(rows: readonly (readonly string[])[], style: Style): string[] {
  if (rows.length < 2) return [];
  const [heading = "", ...lines] = columns(rows);
  return ["", style.faint(heading), ...lines];
}

function componentRows({ components }: AddonStatus, style: Style): string[][] {
  return [
    ["COMPONENT", "READY", "VERSION"],
    ...components.map(({ name, desired, ready, versions }) => {
      const share = `${ready}/${desired}`;
      return [
        name,
        ready === desired ? share : style.bad(share),
        versions.map((each) => printable(each)).join(", ") || "-",
      ];
    }),
  ];
}

function nodeRows({ nodes, problems }: AddonStatus, style: Style): string[][] {
  const faulty = new Set(problems.filter(({ object }) => object.kind === "Node").map(({ object }) => object.name));
  const isShown = ({ name, capable, epc, helper, plugin }: NodeFigures) =>
    capable || epc.totalMiB > 0 || helper !== null || plugin?.state === "serving" || faulty.has(name);
  const shown = nodes.filter(isShown);
  const others = nodes.filter((node) => !isShown(node));
  // Where no plugin answered nobody knows whether there is SGX.
  const known = others.filter(({ plugin }) => plugin !== null).length;
  const rest = [
    ...(known === 0 ? [] : [`${known} without SGX`]),
    ...(known === others.length ? [] : [`${others.length - known} where no plugin looked`]),
  ];
  return [
    ["NODE", "PLUGIN", "MODE", "EPC TOTAL", "ALLOCATED", "FREE", "HELPER", "VERSION"],
    ...shown.map((node) => [
      printable(node.name),
      node.plugin === null ? style.bad("none") : node.plugin.state,
      node.plugin?.mode ?? "-",
      `${node.epc.totalMiB} MiB`,
      `${node.epc.allocatedMiB} MiB`,
      `${node.epc.freeMiB} MiB`,
      helper(node, style),
      printable(node.helper?.version ?? "-"),
    ]),
    ...(rest.length === 0 ? [] : [[style.faint(`and ${rest.join(", ")}`)]]),
  ];
}

function helper({ helper }: NodeFigures, style: Style): string {
  if (helper === null) return "none";
  return helper.ready ? style.good("ready") : style.bad("not ready");
}

function podRows({ pods }: AddonStatus): string[][] {
  return [
    ["POD", "NODE", "PHASE", "DECLARED EPC", "DECLARED QUOTES"],
    ...pods.map(({ namespace, name, node, phase, declaredEpcMiB, declaredMode }) => [
      printable(`${namespace}/${name}`),
      printable(node ?? "-"),
      printable(phase),
      `${declaredEpcMiB} MiB`,
      declaredMode,
    ]),
  ];
}

function facts({ webhook, quoteRoot }: AddonStatus, style: Style): string[] {
  const until = webhook?.caEndsAt == null ? "" : `, its CA ends ${webhook.caEndsAt.slice(0, 10)}`;
  const lines = [
    ...(webhook === null ? [] : [`webhook     ${webhook.up ? style.good("up") : style.bad("down")}${until}`]),
    ...(quoteRoot === null ? [] : [`quote root  SHA-256 ${quoteRoot.sha256}`]),
  ];
  return lines.length === 0 ? [] : ["", ...lines];
}

function problemLines({ code, severity, object, cause, remedy }: Problem, style: Style): string[] {
  const mark = severity === "error" ? style.bad("error") : style.caution("warning");
  const where = `${object.kind} ${object.namespace === undefined ? "" : `${object.namespace}/`}${object.name}`;
  return [
    "",
    `${mark} ${style.strong(code)}  ${printable(where)}`,
    `  found  ${printable(cause)}`,
    `  to do  ${printable(remedy)}`,
  ];
}
