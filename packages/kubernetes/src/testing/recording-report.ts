import type { DevicePluginReport } from "../device-plugin/report.ts";

/** One call of a device plugin's report. */
export type Reported = {
  [Kind in keyof DevicePluginReport]: { readonly kind: Kind } & Parameters<DevicePluginReport[Kind]>[0];
}[keyof DevicePluginReport];

/** A report that keeps all it is told, in order. */
export class RecordingReport implements DevicePluginReport {
  readonly all: Reported[] = [];
  readonly registered = this.#keep("registered");
  readonly registrationFailed = this.#keep("registrationFailed");
  readonly listAndWatchOpened = this.#keep("listAndWatchOpened");
  readonly listAndWatchClosed = this.#keep("listAndWatchClosed");
  readonly allocated = this.#keep("allocated");
  readonly preStart = this.#keep("preStart");
  readonly replaced = this.#keep("replaced");
  readonly foreign = this.#keep("foreign");
  readonly neverCalled = this.#keep("neverCalled");
  readonly tooLarge = this.#keep("tooLarge");

  of<Kind extends Reported["kind"]>(kind: Kind): readonly Extract<Reported, { kind: Kind }>[] {
    return this.all.filter((one): one is Extract<Reported, { kind: Kind }> => one.kind === kind);
  }

  #keep<Kind extends keyof DevicePluginReport>(kind: Kind): DevicePluginReport[Kind] {
    return ((event: object) => {
      this.all.push({ kind, ...event } as Reported);
    }) as DevicePluginReport[Kind];
  }
}
