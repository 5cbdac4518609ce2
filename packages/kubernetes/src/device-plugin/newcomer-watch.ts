import type { Clock } from "../clock.ts";
import { type ForeignPlugin, findForeignPlugin, otherSockets } from "./foreign-plugin.ts";

/** How often a directory with a new socket is looked through: whoever made it registers a moment later. */
const LOOKS = 3;

/** Watches for another vendor's plugin that serves the same resource, before a registration and after it. */
export class NewcomerWatch {
  readonly #options: { directory: string; resourceName: string; ownSockets: readonly string[]; clock: Clock };
  #otherSockets = "";
  #looks = 0;

  constructor(options: { directory: string; resourceName: string; ownSockets: readonly string[]; clock: Clock }) {
    this.#options = options;
  }

  /** The other plugin, if there is one now. */
  async find(): Promise<ForeignPlugin | undefined> {
    try {
      return await findForeignPlugin(this.#options);
    } catch {
      return undefined;
    }
  }

  /** The same, looking only for a while after the sockets in the directory have changed. */
  async findNewcomer(): Promise<ForeignPlugin | undefined> {
    const { directory, ownSockets } = this.#options;
    const others = (await otherSockets(directory, ownSockets).catch(() => [])).join("/");
    if (others !== this.#otherSockets) this.#looks = LOOKS;
    this.#otherSockets = others;
    if (this.#looks === 0) return undefined;
    this.#looks -= 1;
    return this.find();
  }
}
