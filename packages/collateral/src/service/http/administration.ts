import type { IncomingMessage, ServerResponse } from "node:http";
import type { CollateralService } from "../service.ts";
import { ServiceRefusal } from "../status.ts";
import { readJson, readJsonText } from "./body.ts";
import type { EndpointMethod, EndpointName } from "./endpoints.ts";
import type { HttpFigures } from "./figures.ts";
import type { HttpLimits } from "./limits.ts";
import { fmspcList, hexParameter, registrationUpdate } from "./parameters.ts";
import type { Query } from "./query.ts";
import { appraisalPolicy, listedPlatform, platformRegistration } from "./registration.ts";
import { jsonResponse, type PreparedResponse, textResponse } from "./response.ts";

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: Query;
  /** For the log: whom it is about. */
  readonly about: (key: string) => void;
}

/** The endpoints that are not documents (spec: DCAP §12). Tokens are checked before; nothing of it is cached. */
export class Administration {
  readonly #service: CollateralService;
  readonly #limits: HttpLimits;
  readonly #figures: HttpFigures;
  #imports = 0;

  constructor(service: CollateralService, limits: HttpLimits, figures: HttpFigures) {
    this.#service = service;
    this.#limits = limits;
    this.#figures = figures;
  }

  answer(endpoint: EndpointName, method: EndpointMethod, exchange: Exchange): Promise<PreparedResponse> {
    switch (`${method} ${endpoint}`) {
      case "POST platforms":
        return this.#register(exchange);
      case "GET platforms":
        return this.#platforms(exchange.query);
      case "PUT platformcollateral":
        return this.#import(exchange);
      case "POST refresh":
      case "GET refresh":
        return this.#refresh(exchange.query);
      case "PUT appraisalpolicy":
        return this.#putPolicy(exchange);
      case "GET appraisalpolicy":
        return this.#policies(exchange.query);
      default:
        throw new Error(`no operation ${method} ${endpoint}`);
    }
  }

  async #register({ request, response, query, about }: Exchange): Promise<PreparedResponse> {
    const update = registrationUpdate(query);
    const platform = platformRegistration(await readJson(request, response, this.#limits.maxRegistration));
    about(`registration/${platform.qeId}/${platform.pceId}`);
    await this.#service.register(platform, update);
    return textResponse(200);
  }

  /** `source` is compared in its case, as the reference does; a list is any case. */
  async #platforms(query: Query): Promise<PreparedResponse> {
    const text = query.get("source") ?? "";
    let source: "reg" | "reg_na" | readonly string[] | undefined;
    if (text === "" || text === "reg") source = "reg";
    else if (text === "reg_na") source = "reg_na";
    else if (text.length >= 2 && text.startsWith("[") && text.endsWith("]")) source = fmspcList(text.slice(1, -1));
    if (source === undefined)
      throw new ServiceRefusal(400, "source is not reg, reg_na or a list of FMSPCs in brackets");
    const platforms = await this.#service.platforms(source);
    return jsonResponse(["platform-count", `${platforms.length}`], platforms.map(listedPlatform));
  }

  async #import({ request, response }: Exchange): Promise<PreparedResponse> {
    if (this.#imports >= this.#limits.maxImports) {
      this.#figures.limit("imports");
      throw new ServiceRefusal(503, "another import is under way", { retryAfter: 5 });
    }
    this.#imports++;
    try {
      const json = await readJsonText(request, response, this.#limits.maxPlatformCollateral);
      // A large import writes for longer than a connection may be silent.
      request.socket.setTimeout(0);
      await this.#service.putPlatformCollateral(json);
      return textResponse(200);
    } finally {
      this.#imports--;
    }
  }

  async #refresh(query: Query): Promise<PreparedResponse> {
    const type = query.get("type") ?? "";
    if (type !== "" && type !== "certs") throw new ServiceRefusal(400, "type is not certs");
    let fmspcs: readonly string[] | undefined;
    if (type === "certs") {
      const text = query.get("fmspc") ?? "";
      fmspcs = fmspcList(text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text);
      if (fmspcs === undefined) throw new ServiceRefusal(400, "fmspc is no list of FMSPCs");
    }
    await this.#service.refresh(fmspcs);
    return textResponse(200);
  }

  async #putPolicy({ request, response }: Exchange): Promise<PreparedResponse> {
    const policy = appraisalPolicy(await readJson(request, response, this.#limits.maxPolicy));
    return textResponse(200, await this.#service.putPolicy(policy));
  }

  async #policies(query: Query): Promise<PreparedResponse> {
    const policies = await this.#service.policies(hexParameter("fmspc", query.get("fmspc"), 12));
    if (policies.length === 0) throw new ServiceRefusal(404, "there is no default policy of this FMSPC");
    return textResponse(200, policies.join(","));
  }
}
