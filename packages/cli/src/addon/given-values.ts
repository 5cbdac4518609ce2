import type { OutsidePccsTrust } from "@confcom/kubernetes/addon";
import type { Command } from "commander";
import { readInput } from "../input/read-input.ts";
import { usage } from "../usage-error.ts";

/** What an installation is to be like. */
export interface ValueFlags {
  values?: string;
  set: string[];
  image?: string;
  registry?: string;
  imagePullSecret: string[];
  pccsUrl?: string;
  pccsCa?: string;
  pccsRoot?: string;
  pccsUserTokenFile?: string;
}

const VALUES_SIZE = 256 * 1024;
const CERTIFICATES_SIZE = 64 * 1024;
const TOKEN_SIZE = 1024;

export function addValueFlags(command: Command): Command {
  const collect = (text: string, all: string[]) => [...all, text];
  return command
    .option("--values <file>", "YAML or JSON with values (docs/kubernetes.md lists them), - for standard input")
    .option("--set <key=value>", "one value, after the file's (may be repeated)", collect, [] as string[])
    .option("--image <reference>", "the image of every container")
    .option("--registry <host/path>", "a mirror: takes the place of the host in the image's name")
    .option("--image-pull-secret <name>", "Secret of the namespace (may be repeated)", collect, [] as string[])
    .option("--pccs-url <url>", "a PCCS outside of the cluster, in place of an own one")
    .option("--pccs-ca <pem>", "CA of its TLS certificate")
    .option("--pccs-root <pem>", "root of the platforms' certificates that it gives")
    .option("--pccs-user-token-file <file>", "the token to register platforms with");
}

/** The values that the flags give. Throws CommandError and KubernetesError `MANIFEST_VALUE`. */
export async function givenValues(flags: ValueFlags): Promise<Readonly<Record<string, unknown>>> {
  const { parseValues, setValue } = await import("@confcom/kubernetes/manifests");
  const file =
    flags.values === undefined ? {} : parseValues(textOf(flags.values, "the values", VALUES_SIZE), flags.values);
  const values: Record<string, unknown> = { ...flags.set.reduce(setValue, file) };
  if (flags.image !== undefined) values.image = flags.image;
  if (flags.imagePullSecret.length > 0) values.imagePullSecrets = flags.imagePullSecret;
  if (flags.pccsUrl === undefined) return values;
  return setValue(values, `pccs.url=${JSON.stringify(flags.pccsUrl)}`);
}

export function pccsTrust({ pccsCa, pccsRoot, pccsUserTokenFile }: ValueFlags): OutsidePccsTrust {
  const userToken =
    pccsUserTokenFile === undefined ? undefined : textOf(pccsUserTokenFile, "the user token", TOKEN_SIZE).trim();
  if (userToken !== undefined && !/^[\x21-\x7e]+$/.test(userToken))
    throw usage("--pccs-user-token-file holds no token");
  return {
    ca: pccsCa === undefined ? undefined : certificates(pccsCa, "--pccs-ca"),
    root: pccsRoot === undefined ? undefined : certificates(pccsRoot, "--pccs-root"),
    userToken,
  };
}

function certificates(path: string, flag: string): string {
  const text = textOf(path, "the certificate", CERTIFICATES_SIZE);
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw usage(`${flag} wants a certificate in PEM`);
  // A key has no business in a ConfigMap that everybody may read.
  if (text.includes("PRIVATE KEY")) throw usage(`${flag} holds a private key; give the certificate alone`);
  return text;
}

function textOf(path: string, what: string, limit: number): string {
  return new TextDecoder().decode(readInput(path, what, limit));
}
