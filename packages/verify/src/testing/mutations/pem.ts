import type { Random } from "../random.ts";

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----\n?/g;

function changeBlocks(random: Random, pem: string): string {
  const blocks = pem.match(BLOCK) ?? [pem];
  const at = random.below(blocks.length);
  const block = blocks[at] as string;
  switch (random.below(6)) {
    case 0:
      blocks.splice(at, 1);
      break;
    case 1:
      blocks.reverse();
      break;
    case 2:
      blocks.push(blocks.shift() as string);
      break;
    case 3:
      blocks.splice(random.below(blocks.length), 0, block);
      break;
    case 4:
      for (let i = random.pick([1, 13, 14, 20, 40]); i > 0; i--) blocks.push(block);
      break;
    default:
      blocks.splice(
        at,
        0,
        random.pick(["text\n", "\n", "-----BEGIN CERTIFICATE-----\n", "-----END CERTIFICATE-----\n", "-----"]),
      );
  }
  return blocks.join("");
}

const PIECES = [
  "\n",
  "\n\n",
  "\r\n",
  " ",
  "\t",
  "",
  "=",
  "==",
  "-",
  "-----",
  "\0",
  "A",
  "/",
  "+",
  "_",
  "\u00e9",
  "Proc-Type: 4,ENCRYPTED\n",
  "-----BEGIN X509 CRL-----\n",
  "-----BEGIN TRUSTED CERTIFICATE-----\n",
  "-----begin certificate-----\n",
];

/** Changes a PEM chain in one place: blocks, lines, base64, or what separates them. */
export function mutatePem(random: Random, pem: string): string {
  const at = random.below(pem.length + 1);
  switch (random.below(9)) {
    case 0:
    case 1:
    case 2:
      return changeBlocks(random, pem);
    case 3:
      return pem.replaceAll("\n", random.pick(["\r\n", "\n\n", " \n", "\r", "\n "]));
    case 4:
      return pem.replace(/([A-Za-z0-9+/])\n(?=[A-Za-z0-9+/])/g, "$1");
    case 5: {
      const places = [...pem.matchAll(/\n/g)].map(({ index }) => index);
      const place = places[random.below(places.length)] ?? 0;
      return pem.slice(0, place) + random.pick(PIECES) + pem.slice(place + random.below(2));
    }
    case 6:
      return pem.slice(0, at) + random.pick(PIECES) + pem.slice(at + random.below(3));
    case 7:
      return pem.slice(0, at);
    default:
      return pem.slice(0, at) + random.pick([..."ABCxyz019+/=-\n "]) + pem.slice(at + 1);
  }
}
