import type { HttpProxies } from "../http/index.ts";
import { firstOf, type Setting, setting } from "./setting.ts";

/** What the environment says of proxies, each value with the variable it came from. */
export interface ProxySettings {
  readonly https: Setting<string | undefined>;
  readonly http: Setting<string | undefined>;
  /** Hosts that are asked without a proxy, separated by commas. */
  readonly except: Setting<string | undefined>;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Proxies as curl takes them, on which the reference providers rest: lower-case names first. HTTP_PROXY in capitals is taken too: this
 * is no CGI program. What is no http or https URL is left out and said, without its user and password.
 */
export function readProxyVariables(env: Env, warn: (text: string) => void): ProxySettings {
  const given = (name: string): Setting<string | undefined> | undefined => {
    const found = [name.toLowerCase(), name].find((variable) => (env[variable] ?? "") !== "");
    return found === undefined ? undefined : setting(env[found], { kind: "variable", name: found });
  };
  const proxy = (name: string): Setting<string | undefined> | undefined => {
    const found = given(name);
    const value = found?.value ?? "";
    if (found === undefined || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol))) return found;
    warn(
      `the variable ${found.from.kind === "variable" ? found.from.name : name} is not an http or https URL: ignored`,
    );
    return undefined;
  };
  return {
    https: firstOf([proxy("HTTPS_PROXY")], undefined),
    http: firstOf([proxy("HTTP_PROXY")], undefined),
    except: firstOf([given("NO_PROXY")], undefined),
  };
}

/** For the HTTP client. */
export function httpProxies({ https, http, except }: ProxySettings): HttpProxies {
  return {
    ...(https.value === undefined ? {} : { https: https.value }),
    ...(http.value === undefined ? {} : { http: http.value }),
    ...(except.value === undefined ? {} : { except: except.value }),
  };
}

/** Whether a place is on this machine's own link (169.254.0.0/16), as the instance's agent is: no proxy leads there. */
export function isLinkLocal(url: string): boolean {
  return URL.canParse(url) && /^169\.254\.\d{1,3}\.\d{1,3}$/.test(new URL(url).hostname);
}
