import { PlatformCollateralRefusal } from "../../platform-collateral/index.ts";

/** Platform collateral nests 7 deep, its TCB infos 12. */
const MAX_DEPTH = 64;
/** A million certificates have five members each; what has more is made to be large in memory only: `{},` is 3 bytes there and 60 here. */
const MAX_VALUES = 10_000_000;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Refuses, before it is parsed, JSON that takes far more memory than it has bytes. Whether it is JSON at all the parser says. */
export function refuseSwollenJson(json: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case QUOTE:
        at++;
        while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
        break;
      case OPEN_LIST:
      case OPEN_OBJECT:
        depth++;
        values++;
        if (depth > MAX_DEPTH) throw new PlatformCollateralRefusal(400, `the body nests more than ${MAX_DEPTH} deep`);
        break;
      case CLOSE_LIST:
      case CLOSE_OBJECT:
        depth--;
        break;
      case COMMA:
        values++;
        break;
    }
    if (values > MAX_VALUES) throw new PlatformCollateralRefusal(400, `the body has more than ${MAX_VALUES} values`);
  }
}
