import { printable } from "./printable.ts";
import type { Style } from "./style.ts";

/** A name, a value, words that explain it, and what is inside. */
export interface TreeNode {
  /** A sign before the name, printed as it is: it may carry colour. */
  readonly mark?: string;
  readonly name: string;
  readonly value?: string;
  readonly note?: string;
  readonly children?: readonly TreeNode[];
}

/** Lines of a tree with drawn branches; long hexadecimal is cut at `valueWidth` unless that is Infinity. */
export function drawTree(root: TreeNode, style: Style, valueWidth = Number.POSITIVE_INFINITY): string[] {
  const lines: string[] = [];
  const draw = (node: TreeNode, prefix: string, branch: string, nextPrefix: string): void => {
    lines.push(`${style.faint(prefix + branch)}${drawLabel(node, style, valueWidth)}`);
    const children = node.children ?? [];
    children.forEach((child, i) => {
      const last = i === children.length - 1;
      draw(child, nextPrefix, last ? "└─ " : "├─ ", nextPrefix + (last ? "   " : "│  "));
    });
  };
  draw(root, "", "", "");
  return lines;
}

function drawLabel(node: TreeNode, style: Style, valueWidth: number): string {
  const mark = node.mark === undefined ? "" : `${node.mark} `;
  const name = mark + style.strong(printable(node.name));
  const value = node.value === undefined ? "" : ` ${shorten(printable(node.value), valueWidth)}`;
  const note = node.note === undefined ? "" : style.faint(`  ${printable(node.note)}`);
  return name + value + note;
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
