import { ONE, parseQuantity } from "../../quantity.ts";
import type { ContainerView } from "./pod-view.ts";

/** A resource's quantity as it stands in a manifest; the API server takes numbers too. */
export function quantityText(quantity: unknown): string | undefined {
  if (typeof quantity === "string") return quantity;
  return typeof quantity === "number" ? String(quantity) : undefined;
}

/** Whole units of a quantity; undefined for fractions, negative amounts and what is no quantity. */
export function wholeUnits(quantity: unknown): bigint | undefined {
  const text = quantityText(quantity);
  const value = text === undefined ? undefined : parseQuantity(text);
  return value === undefined || value < 0n || value % ONE !== 0n ? undefined : value / ONE;
}

/** Whether the container says anything about a resource, be it 0. */
export function mentions({ limits, requests }: ContainerView, resource: string): boolean {
  return Object.hasOwn(limits, resource) || Object.hasOwn(requests, resource);
}

/** Whether the container asks for a resource: 0 asks for nothing. */
export function asksFor({ limits, requests }: ContainerView, resource: string): boolean {
  return [limits, requests].some((list) => Object.hasOwn(list, resource) && wholeUnits(list[resource]) !== 0n);
}

/**
 * Whole units of an extended resource that a container has; 0 where it names none. Undefined for what the API server
 * refuses of such a resource: no limit, a request that is not the limit, a fraction, a negative amount.
 */
export function containerAmount({ limits, requests }: ContainerView, resource: string): bigint | undefined {
  const limited = Object.hasOwn(limits, resource);
  const requested = Object.hasOwn(requests, resource);
  if (!limited) return requested ? undefined : 0n;
  const amount = wholeUnits(limits[resource]);
  return requested && wholeUnits(requests[resource]) !== amount ? undefined : amount;
}
