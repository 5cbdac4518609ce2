import { styleText } from "node:util";

/** Words get colour only where a person reads them: on a terminal, without NO_COLOR, with a TERM that can. */
export interface Style {
  good(text: string): string;
  bad(text: string): string;
  caution(text: string): string;
  strong(text: string): string;
  faint(text: string): string;
}

const PLAIN: Style = {
  good: (text) => text,
  bad: (text) => text,
  caution: (text) => text,
  strong: (text) => text,
  faint: (text) => text,
};

const COLOURED: Style = {
  good: (text) => styleText("green", text, { validateStream: false }),
  bad: (text) => styleText("red", text, { validateStream: false }),
  caution: (text) => styleText("yellow", text, { validateStream: false }),
  strong: (text) => styleText("bold", text, { validateStream: false }),
  faint: (text) => styleText("dim", text, { validateStream: false }),
};

/** The NO_COLOR convention: present and not empty means no colour; FORCE_COLOR the opposite. */
export function chooseStyle(env: NodeJS.ProcessEnv, isTerminal: boolean): Style {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return PLAIN;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "" && env.FORCE_COLOR !== "0") return COLOURED;
  return isTerminal && env.TERM !== "dumb" ? COLOURED : PLAIN;
}
