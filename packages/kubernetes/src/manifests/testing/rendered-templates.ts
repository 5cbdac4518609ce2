import assert from "node:assert/strict";
import type { KubernetesObject } from "../kubernetes-object.ts";
import type { ObjectTemplate } from "../object-template.ts";
import { evaluate, holds } from "../template/evaluate.ts";
import { manifestValues } from "../values.ts";

/** The objects of some templates alone, of version "1", with values as they are given. */
export class RenderedTemplates {
  readonly #templates: readonly ObjectTemplate[];

  constructor(templates: readonly ObjectTemplate[]) {
    this.#templates = templates;
  }

  all(given: unknown = {}): readonly KubernetesObject[] {
    const context = { values: manifestValues(given), version: "1" };
    return this.#templates
      .filter(({ when }) => when === undefined || holds(when, context))
      .map(({ object }) => evaluate(object, context));
  }

  /** The first of a kind; fails the test when there is none. */
  one<T extends KubernetesObject>(kind: string, given?: unknown): T {
    const found = this.all(given).find((object) => object.kind === kind);
    assert.ok(found, `there is no ${kind}`);
    return found as T;
  }
}
