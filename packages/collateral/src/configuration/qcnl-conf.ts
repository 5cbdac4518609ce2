import { CollateralError, messageOf } from "../errors.ts";
import type { TcbUpdate } from "../request.ts";
import { parseCommentedJson } from "./commented-json.ts";

/** Bytes of a qcnl.conf; Intel's own has 3 KiB. */
export const QCNL_CONF_LIMIT = 64 * 1024;
export const QCNL_CONF_PATH = "/etc/sgx_default_qcnl.conf";
/** More hours are cut to this, as the reference does. */
export const CACHE_HOURS_LIMIT = 2160;

/** What is added to requests for PCK certificates, and to no other (`get_cert`). */
export interface CustomRequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
}

/** Intel's provider's configuration, its keys by their own names; what is not in the file is undefined (spec: DCAP §13). */
export interface QcnlConf {
  readonly format: "json" | "legacy";
  /** Ends in "/". The reference's default is https://localhost:8081/sgx/certification/v4/. */
  readonly pccs_url?: string;
  /** False: the TLS certificate is not looked at. Default true. */
  readonly use_secure_cert?: boolean;
  /** Ends in "/". Default: pccs_url. */
  readonly collateral_service?: string;
  /** Default standard. */
  readonly tcb_update_type?: TcbUpdate;
  /** 3.1: CRLs in DER and the root CA's by its distribution point. Default 3.0. */
  readonly pccs_api_version?: "3.0" | "3.1";
  /** Attempts after the first. */
  readonly retry_times?: number;
  /** Seconds; 0: 1, 2, 4... */
  readonly retry_delay?: number;
  /** Ends in "/"; asked for PCK certificates before pccs_url, its answers are not cached. */
  readonly local_pck_url?: string;
  /** Hours, at most 2160. */
  readonly pck_cache_expire_hours?: number;
  readonly verify_collateral_cache_expire_hours?: number;
  readonly custom_request_options?: CustomRequestOptions;
  /** PCK certificates come from local files only. Default false. */
  readonly local_cache_only?: boolean;
}

type Values = { -readonly [Key in Exclude<keyof QcnlConf, "format">]?: NonNullable<QcnlConf[Key]> };
type Key = keyof Values;

/**
 * Reads a qcnl.conf: JSON with comments if the first byte is `{`, else the legacy KEY=VALUE lines. A value of the wrong JSON
 * type is ignored as the reference ignores it, but `warn` hears of it. Throws CollateralError CONFIGURATION for JSON that is none,
 * and for a file of more than 64 KiB.
 */
export function parseQcnlConf(bytes: Uint8Array, path: string, warn: (text: string) => void): QcnlConf {
  if (bytes.length > QCNL_CONF_LIMIT) {
    throw new CollateralError(
      "CONFIGURATION",
      `${path} has ${bytes.length} bytes, at most ${QCNL_CONF_LIMIT} are read`,
    );
  }
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const say = (what: string) => warn(`${path}: ${what}`);
  return text.startsWith("{") ? readJson(text, path, say) : readLegacy(text, say);
}

type Reader = (value: unknown) => Partial<Values> | string;

const text = (value: unknown) => (typeof value === "string" ? value : undefined);
const int32 = (value: unknown) =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 0x7fffffff ? value : undefined;
const hours = (value: unknown) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? Math.min(value, CACHE_HOURS_LIMIT) : undefined;

function member<Name extends Key>(
  name: Name,
  value: Values[Name] | undefined,
  wanted: string,
): Partial<Values> | string {
  return value === undefined ? `${name} is not ${wanted}` : ({ [name]: value } as Partial<Values>);
}

/** Strings are concatenated to the base, so it must end in a slash (spec: DCAP §13): what is missing is added. */
function baseUrl(value: unknown): string | undefined {
  const url = text(value);
  if (url === undefined || url.length > 2048 || !URL.canParse(url)) return undefined;
  const { protocol } = new URL(url);
  if (protocol !== "https:" && protocol !== "http:") return undefined;
  return url.endsWith("/") ? url : `${url}/`;
}

const URL_FORM = "the text of an http or https URL";

/** In the order of the documentation; every key of spec §13. */
const KEYS: Readonly<Record<Key, Reader>> = {
  pccs_url: (value) => member("pccs_url", baseUrl(value), URL_FORM),
  use_secure_cert: (value) =>
    member("use_secure_cert", typeof value === "boolean" ? value : undefined, "true or false"),
  collateral_service: (value) => member("collateral_service", baseUrl(value), URL_FORM),
  tcb_update_type: (value) => member("tcb_update_type", updateType(value), '"standard" or "early"'),
  pccs_api_version: (value) =>
    member("pccs_api_version", value === "3.0" || value === "3.1" ? value : undefined, 'the text "3.0" or "3.1"'),
  retry_times: (value) => member("retry_times", int32(value), "a whole number from 0"),
  retry_delay: (value) => member("retry_delay", int32(value), "a whole number of seconds from 0"),
  local_pck_url: (value) => member("local_pck_url", baseUrl(value), URL_FORM),
  pck_cache_expire_hours: (value) => member("pck_cache_expire_hours", hours(value), "a number of hours from 0"),
  verify_collateral_cache_expire_hours: (value) =>
    member("verify_collateral_cache_expire_hours", hours(value), "a number of hours from 0"),
  custom_request_options: (value) =>
    member("custom_request_options", customOptions(value), '{"get_cert":{"headers":{...},"params":{...}}} with texts'),
  local_cache_only: (value) =>
    member("local_cache_only", typeof value === "boolean" ? value : undefined, "true or false"),
};

function updateType(value: unknown): TcbUpdate | undefined {
  const name = text(value)?.toLowerCase();
  return name === "standard" || name === "early" ? name : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: that a value has none is what is asked for.
const CONTROL = /[\u0000-\u001f\u007f]/;

/** At most 32 names and values each, nothing that could end a header or a request line. */
function texts(value: unknown, name: RegExp): Record<string, string> | undefined {
  if (value === undefined) return {};
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(value);
  const sound = entries.every(
    ([key, item]) => name.test(key) && typeof item === "string" && item.length <= 4096 && !CONTROL.test(item),
  );
  return sound && entries.length <= 32 ? Object.fromEntries(entries as [string, string][]) : undefined;
}

function customOptions(value: unknown): CustomRequestOptions | undefined {
  if (!isRecord(value)) return undefined;
  const request = value.get_cert ?? {};
  if (!isRecord(request)) return undefined;
  const headers = texts(request.headers, HEADER_NAME);
  const params = texts(request.params, /^[^\s&=#]{1,128}$/);
  return headers === undefined || params === undefined ? undefined : { headers, params };
}

function readJson(json: string, path: string, warn: (text: string) => void): QcnlConf {
  let document: unknown;
  try {
    document = parseCommentedJson(json, (key) =>
      warn(`the key ${JSON.stringify(key.slice(0, 64))} is given again: the first one counts`),
    );
  } catch (cause) {
    const why = messageOf(cause);
    throw new CollateralError("CONFIGURATION", `${path} begins with { but is no JSON: ${why}`, { cause });
  }
  const values: Partial<Values> = {};
  for (const [key, value] of Object.entries(document as Record<string, unknown>)) {
    if (Object.hasOwn(KEYS, key)) take(values, KEYS[key as Key](value), warn);
    else warn(`the key ${JSON.stringify(key.slice(0, 64))} is unknown and ignored`);
  }
  return { format: "json", ...values };
}

function take(values: Partial<Values>, read: Partial<Values> | string, warn: (text: string) => void): void {
  if (typeof read === "string") warn(`${read}: ignored`);
  else Object.assign(values, read);
}

/** Legacy names are the others in capitals; texts become what the readers want. */
const LEGACY: Readonly<Partial<Record<Key, (value: string) => unknown>>> = {
  pccs_url: (value) => value,
  use_secure_cert: (value) => value.toUpperCase() !== "FALSE",
  collateral_service: (value) => value,
  pccs_api_version: (value) => value,
  retry_times: (value) => Number.parseInt(value, 10),
  retry_delay: (value) => Number.parseInt(value, 10),
  local_pck_url: (value) => value,
  pck_cache_expire_hours: (value) => Number.parseInt(value, 10),
  verify_collateral_cache_expire_hours: (value) => Number.parseInt(value, 10),
  local_cache_only: (value) => value.toUpperCase() === "TRUE",
};

/** KEY=VALUE lines; blanks count nowhere, a line that begins with # is a comment. */
function readLegacy(lines: string, warn: (text: string) => void): QcnlConf {
  const values: Partial<Values> = {};
  for (const [index, line] of lines.split("\n").entries()) {
    const packed = line.replace(/\s+/g, "");
    if (packed === "" || packed.startsWith("#")) continue;
    const at = packed.indexOf("=");
    const name = at < 0 ? packed : packed.slice(0, at);
    const key = name.toLowerCase();
    const convert = Object.hasOwn(LEGACY, key) && name === name.toUpperCase() ? LEGACY[key as Key] : undefined;
    if (convert === undefined || at < 0) warn(`line ${index + 1} is no KEY=VALUE that is known: ignored`);
    else take(values, KEYS[key as Key](convert(packed.slice(at + 1))), warn);
  }
  return { format: "legacy", ...values };
}
