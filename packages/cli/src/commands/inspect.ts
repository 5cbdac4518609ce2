import { decodeQuote, type Quote } from "@confcom/sgx";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import { readQuoteInput } from "../input/quote-input.ts";
import { embeddedQuoteTree, type InspectedCertificate, inspectCertificate } from "../inspect/embedded-quote-tree.ts";
import { quoteTree } from "../inspect/quote-tree.ts";
import type { Output } from "../terminal/output.ts";
import { drawTree } from "../terminal/tree.ts";

/** `confcom inspect QUOTE`: every field, decoded; nothing is verified. */
export function register(program: Command, output: Output): void {
  program
    .command("inspect")
    .description("print every field of a quote (nothing is verified)")
    .argument("<quote>", "a file with the quote (binary, hex or base64) or with a certificate that carries one, or -")
    .option("--full", "do not shorten long values")
    .option("--json", "print the decoded quote as JSON")
    .action((path: string, options: { full?: boolean; json?: boolean }) => inspect(path, options, output));
}

function inspect(path: string, options: { full?: boolean; json?: boolean }, output: Output): void {
  const { certificate, quote } = read(path);
  if (options.json) {
    output.json(certificate === undefined ? quote : { certificate: certificateJson(certificate), quote });
    return;
  }
  const width = options.full === true ? Number.POSITIVE_INFINITY : 72;
  const trees = [...(certificate === undefined ? [] : [embeddedQuoteTree(certificate)]), quoteTree(quote)];
  for (const tree of trees) for (const line of drawTree(tree, output.style, width)) output.line(line);
  output.line(output.style.faint("Decoded only. `confcom verify` says whether any of this is true."));
}

function read(path: string): { quote: Quote; certificate?: InspectedCertificate } {
  const { kind, bytes } = readQuoteInput(path);
  if (kind === "empty") {
    throw new CommandError(
      "CLI_INPUT_MALFORMED",
      `${path === "-" ? "standard input" : path} is empty`,
      "Pass a file that holds a quote, or a certificate that carries one.",
    );
  }
  if (kind === "quote") return { quote: decodeQuote(bytes) };
  const certificate = inspectCertificate(bytes);
  return { quote: certificate.quote, certificate };
}

function certificateJson({ embedded, keyBinding }: InspectedCertificate): Record<string, unknown> {
  const { oid, scheme, format, others, keyReference, certificate } = embedded;
  return {
    subject: certificate.subject.text,
    issuer: certificate.issuer.text,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    publicKeyInfo: certificate.publicKeyInfo,
    extension: oid,
    scheme,
    format,
    otherExtensions: others,
    keyReference,
    keyBinding,
  };
}
