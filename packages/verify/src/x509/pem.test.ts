import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBase64 } from "./base64.ts";
import { decodeAnyPem, decodePemCertificates, decodePemCrl, isPemCrl } from "./pem.ts";
import { decodeRegularPem } from "./regular-pem.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

function block(body = "AAEC", newline = "\n"): string {
  return `${BEGIN}${newline}${body}${newline}${END}${newline}`;
}

function certificates(text: string): number[][] | undefined {
  return decodePemCertificates(encode(text))?.map((der) => [...der]);
}

describe("base64", () => {
  it("decodes what was encoded, in lines of any length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 80 }), (bytes, width) => {
        const text = encode(
          Buffer.from(bytes)
            .toString("base64")
            .replace(new RegExp(`.{${width}}`, "g"), "$&\r\n"),
        );
        assert.deepEqual(decodeBase64(text, 0, text.length), bytes);
      }),
    );
  });

  it("refuses foreign characters and wrong padding", () => {
    for (const text of ["AAA", "AA", "A", "AA=", "AAA==", "AAAA=", "AA==AA==", "AA-A", "AA:A", "=AAA", "AAAA===="]) {
      assert.equal(decodeBase64(encode(text), 0, text.length), undefined, text);
    }
  });
});

describe("PEM chains", () => {
  it("are refused when a block of another type begins between two of them", () => {
    assert.equal(certificates(`${block()}-----BEGIN X509 CRL-----\n${block()}`), undefined);
    assert.equal(certificates(`${block()}text\n-----BEGIN PUBLIC KEY-----\n\n${block()}`), undefined);
    assert.equal(certificates(`${block()}- text -----BEGIN PUBLIC KEY-----\n${block()}`)?.length, 2);
  });

  it("are found after a run of dashes, and not searched for at each dash of millions", () => {
    assert.deepEqual(certificates(`---${block()}`), [[0, 1, 2]]);
    assert.deepEqual(certificates(`${block()}${"-".repeat(3_000_000)}`), [[0, 1, 2]]);
    assert.deepEqual(certificates("-".repeat(8_000_000)), []);
  });

  it("are blocks in any number, with text between them", () => {
    assert.deepEqual(certificates(block()), [[0, 1, 2]]);
    assert.deepEqual(certificates(`text before${block()}text\n${block("AwQF")}`), [
      [0, 1, 2],
      [3, 4, 5],
    ]);
    assert.deepEqual(certificates(block("AAEC", "\r\n") + block("AwQF", "\r\n")), [
      [0, 1, 2],
      [3, 4, 5],
    ]);
  });

  it("end at a NUL", () => assert.deepEqual(certificates(`${block()}\0${block()}`), [[0, 1, 2]]));

  it("without a block are empty", () => {
    for (const text of ["", "text", BEGIN, END, `${END}\n${BEGIN}\n`]) assert.deepEqual(certificates(text), []);
  });

  it("skip a lone END marker and stop at two in a row", () => {
    assert.deepEqual(certificates(`${block()}${END}\n`), [[0, 1, 2]]);
    assert.deepEqual(certificates(`${block().trimEnd()}${END}\n`), []);
  });

  it("with a damaged block are refused", () => {
    for (const body of ["AA", "AAEC\n\nAwQF", "Proc-Type: 4\nAAEC", "AAEC\n \nAwQF", `AAEC\n${BEGIN}\nAwQF`]) {
      assert.equal(certificates(block(body)), undefined, body);
    }
    assert.equal(certificates(`${BEGIN}AAEC\n${END}\n`), undefined);
    assert.equal(certificates(`${BEGIN}\nAAEC${END}\n`), undefined);
    assert.equal(certificates(`${block()}- ${BEGIN}\nAAEC\n${END}\n`), undefined);
  });

  it("are bounded in number", () => {
    assert.equal(certificates(block().repeat(16))?.length, 16);
    assert.equal(certificates(block().repeat(17)), undefined);
    assert.equal(certificates(`${block()}${`${END}\n`.repeat(100)}`), undefined);
  });
});

describe("PEM chains in their usual form", () => {
  const lines = (bytes: Uint8Array) =>
    block(
      Buffer.from(bytes)
        .toString("base64")
        .replace(/.{64}(?=.)/g, "$&\n"),
    );
  const usual = fc
    .array(fc.uint8Array({ minLength: 1, maxLength: 150 }), { minLength: 1, maxLength: 3 })
    .map((bodies) => ({ bodies, text: bodies.map(lines).join("") }));

  it("take the short cut where the engine has base64, and give the same blocks", () => {
    const native = typeof Uint8Array.prototype.setFromBase64 === "function";
    fc.assert(
      fc.property(usual, fc.constantFrom("", "\0", "\0\xff-----"), ({ bodies, text }, end) => {
        assert.deepEqual(decodeRegularPem(encode(text + end)), native ? bodies : undefined);
        assert.deepEqual(decodeAnyPem(encode(text + end)), bodies);
      }),
    );
  });

  it("changed anywhere are decided as without the short cut", () => {
    const insert = ["\n", "\r\n", " ", "\t", "\f", "=", "==", "A", "-", "_", "\0", "\ufeff", END, BEGIN, `${END}\n`];
    const change = fc.tuple(fc.nat(), fc.constantFrom(0, 1, 2, 64, 65), fc.constantFrom("", ...insert));
    fc.assert(
      fc.property(usual, fc.array(change, { minLength: 1, maxLength: 3 }), ({ text }, changes) => {
        let changed = text;
        for (const [place, removed, inserted] of changes) {
          const at = place % changed.length;
          changed = changed.slice(0, at) + inserted + changed.slice(at + removed);
          if (changed === "") return;
        }
        assert.deepEqual(decodePemCertificates(encode(changed)), decodeAnyPem(encode(changed)));
      }),
      { numRuns: 3000 },
    );
  });

  it("with a line of nothing at the end are damaged, as anywhere else", () => {
    for (const body of [`${"A".repeat(64)}\n`, "AAEC\n", `${"A".repeat(64)}\n${"A".repeat(64)}\n`]) {
      assert.equal(decodePemCertificates(encode(block(body))), undefined);
      assert.equal(decodeAnyPem(encode(block(body))), undefined);
    }
  });
});

describe("PEM CRLs", () => {
  it("start with their marker", () => {
    const text = encode("-----BEGIN X509 CRL-----\nAAEC\n-----END X509 CRL-----\n");
    assert.equal(isPemCrl(text), true);
    assert.deepEqual(decodePemCrl(text), Uint8Array.of(0, 1, 2));
    assert.equal(isPemCrl(encode(` ${text}`)), false);
    assert.equal(decodePemCrl(encode("-----BEGIN X509 CRL-----\nAAEC\n")), undefined);
  });
});
