import assert from "node:assert/strict";
import { test } from "node:test";
import { CollateralError, type CollateralErrorCode } from "../errors.ts";
import type { CollateralRequest } from "../request.ts";
import { CACHING_MODES, type CachingMode } from "./service.ts";
import type { PccsStatus } from "./status.ts";
import { pckcert, registrationOf, type ServiceBench, serviceBench, statusOf } from "./testing/service-bench.ts";
import { DAY, DOUBLE_FMSPC } from "./testing/upstream-double.ts";

const DOCUMENTS: readonly CollateralRequest[] = [
  { kind: "pck-crl", ca: "platform" },
  { kind: "tcb-info", tee: "sgx", fmspc: DOUBLE_FMSPC, update: "standard", version: 4 },
  { kind: "tcb-info", tee: "tdx", fmspc: DOUBLE_FMSPC, update: "early", version: 4 },
  { kind: "tcb-info", tee: "sgx", fmspc: DOUBLE_FMSPC, update: "standard", version: 3 },
  { kind: "identity", id: "QE", update: "standard", version: 4 },
  { kind: "identity", id: "TD_QE", update: "standard", version: 4 },
  { kind: "identity", id: "QVE", update: "early", version: 3 },
  { kind: "root-ca-crl" },
  { kind: "crl", url: "https://certificates.example/root.crl" },
];

type State = (bench: ServiceBench) => unknown;
type Row = Readonly<Record<CachingMode, PccsStatus>>;

/** A bench whose store was filled by a service in LAZY, and then one in the mode asked for on the same store. */
async function inMode(mode: CachingMode, prepare: (bench: ServiceBench) => Promise<unknown>): Promise<ServiceBench> {
  const options = { allowedCrlHosts: ["certificates.example"] };
  const lazy = serviceBench("LAZY", options);
  await prepare(lazy);
  lazy.upstream.calls.length = 0;
  return serviceBench(mode, { ...options, beside: lazy });
}

const nothing = async () => {};
const registered = (bench: ServiceBench) => bench.service.register(registrationOf(1), "standard");
const failing =
  (code: CollateralErrorCode): State =>
  ({ upstream }) => {
    upstream.failure = new CollateralError(code, "the double fails");
  };

interface Cell {
  readonly name: string;
  readonly prepare: (bench: ServiceBench) => Promise<unknown>;
  readonly state?: State;
  readonly request: (bench: ServiceBench) => unknown;
  readonly statuses: Row;
}

const all = (status: PccsStatus): Row => ({ LAZY: status, REQ: status, OFFLINE: status });
const newTcb = { cpuSvn: "06".repeat(16) };
const lowTcb = { cpuSvn: "01".repeat(16) };

const CELLS: readonly Cell[] = [
  {
    name: "pckcert of a known platform at a known TCB, upstream gone",
    prepare: registered,
    state: failing("SOURCE_UNREACHABLE"),
    request: ({ service }) => service.get(pckcert(1)),
    statuses: all(200),
  },
  {
    name: "pckcert of a known platform at a new TCB, upstream gone",
    prepare: registered,
    state: failing("SOURCE_UNREACHABLE"),
    request: ({ service }) => service.get(pckcert(1, newTcb)),
    statuses: all(200),
  },
  {
    name: "pckcert of a known platform at a TCB that no certificate fits",
    prepare: registered,
    request: ({ service }) => service.get(pckcert(1, lowTcb)),
    statuses: all(404),
  },
  {
    name: "pckcert of an unknown platform",
    prepare: nothing,
    request: ({ service }) => service.get(pckcert(1)),
    statuses: { LAZY: 200, REQ: 461, OFFLINE: 461 },
  },
  {
    name: "pckcert of an unknown platform with an encrypted PPID of zeros",
    prepare: nothing,
    request: ({ service }) => service.get(pckcert(1, { encryptedPpid: "0".repeat(768) })),
    statuses: { LAZY: 404, REQ: 461, OFFLINE: 461 },
  },
  {
    name: "pckcert of an unknown platform without an encrypted PPID",
    prepare: nothing,
    request: ({ service }) => {
      const { encryptedPpid: _, ...rest } = pckcert(1);
      return service.get(rest);
    },
    statuses: { LAZY: 400, REQ: 461, OFFLINE: 461 },
  },
  ...(
    [
      ["NOT_FOUND", 404],
      ["SOURCE_REFUSED", 404],
      ["PLATFORM_UNKNOWN", 461],
      ["CERTIFICATES_UNAVAILABLE", 462],
      ["SOURCE_UNREACHABLE", 502],
      ["SOURCE_TIMEOUT", 502],
      ["SOURCE_UNTRUSTED", 502],
      ["SOURCE_ANSWER", 502],
      ["SOURCE_SUSPENDED", 502],
      ["SOURCE_BUSY", 503],
    ] as const
  ).flatMap(([code, status]): Cell[] => [
    {
      name: `pckcert of an unknown platform, upstream ${code}`,
      prepare: nothing,
      state: failing(code),
      request: ({ service }) => service.get(pckcert(1)),
      statuses: { LAZY: status, REQ: 461, OFFLINE: 461 },
    },
    {
      name: `a TCB info that is not cached, upstream ${code}`,
      prepare: nothing,
      state: failing(code),
      request: ({ service }) => service.get(DOCUMENTS[1] as CollateralRequest),
      statuses: { LAZY: status, REQ: 404, OFFLINE: 404 },
    },
  ]),
  ...DOCUMENTS.flatMap((request): Cell[] => {
    const name = JSON.stringify(request);
    const cached = ({ service }: ServiceBench) => Promise.resolve(service.get(request));
    const expired: State = ({ clock }) => clock.set(clock.now() + 31 * DAY);
    const expiredLong: State = ({ clock }) => clock.set(clock.now() + 38 * DAY);
    const gone: State = failing("SOURCE_UNREACHABLE");
    return [
      {
        name: `${name}, not cached`,
        prepare: nothing,
        request: ({ service }) => service.get(request),
        statuses: { LAZY: 200, REQ: 404, OFFLINE: 404 },
      },
      {
        name: `${name}, cached, upstream gone`,
        prepare: cached,
        state: gone,
        request: ({ service }) => service.get(request),
        statuses: all(200),
      },
      {
        name: `${name}, past its nextUpdate, upstream gone`,
        prepare: cached,
        state: (bench) => [expired(bench), gone(bench)],
        request: ({ service }) => service.get(request),
        statuses: all(200),
      },
      {
        name: `${name}, past the stale limit, upstream gone`,
        prepare: cached,
        state: (bench) => [expiredLong(bench), gone(bench)],
        request: ({ service }) => service.get(request),
        statuses: { LAZY: 502, REQ: 502, OFFLINE: 200 },
      },
      {
        name: `${name}, past the stale limit, upstream well`,
        prepare: cached,
        state: expiredLong,
        request: ({ service }) => service.get(request),
        statuses: all(200),
      },
    ];
  }),
  {
    name: "a CRL from a host that is nobody's",
    prepare: nothing,
    request: ({ service }) => service.get({ kind: "crl", url: "https://elsewhere.example/root.crl" }),
    statuses: all(400),
  },
  {
    name: "registration of an unknown platform",
    prepare: nothing,
    request: ({ service }) => service.register(registrationOf(1), "all"),
    statuses: all(200),
  },
  {
    name: "registration of an unknown platform, upstream gone",
    prepare: nothing,
    state: failing("SOURCE_UNREACHABLE"),
    request: ({ service }) => service.register(registrationOf(1), "standard"),
    statuses: { LAZY: 502, REQ: 502, OFFLINE: 200 },
  },
  {
    name: "registration of a known platform, upstream gone",
    prepare: registered,
    state: failing("SOURCE_UNREACHABLE"),
    request: registered,
    statuses: all(200),
  },
  {
    name: "registration with neither manifest nor encrypted PPID",
    prepare: nothing,
    request: ({ service }) => service.register(registrationOf(1, { encryptedPpid: "" }), "standard"),
    statuses: all(400),
  },
  {
    name: "registration with an encrypted PPID of zeros",
    prepare: nothing,
    request: ({ service }) => service.register(registrationOf(1, { encryptedPpid: "0".repeat(768) }), "standard"),
    statuses: { LAZY: 404, REQ: 404, OFFLINE: 200 },
  },
  {
    name: "refresh of all documents",
    prepare: registered,
    request: ({ service }) => service.refresh(),
    statuses: { LAZY: 200, REQ: 200, OFFLINE: 503 },
  },
  {
    name: "refresh of all documents, which the upstream has not any more",
    prepare: registered,
    state: failing("NOT_FOUND"),
    request: ({ service }) => service.refresh(),
    statuses: { LAZY: 503, REQ: 503, OFFLINE: 503 },
  },
  {
    name: "refresh of certificates",
    prepare: registered,
    request: ({ service }) => service.refresh([]),
    statuses: { LAZY: 200, REQ: 200, OFFLINE: 503 },
  },
  {
    name: "refresh of certificates, which the upstream has not any more",
    prepare: registered,
    state: failing("NOT_FOUND"),
    request: ({ service }) => service.refresh([DOUBLE_FMSPC]),
    statuses: { LAZY: 404, REQ: 404, OFFLINE: 503 },
  },
];

for (const { name, prepare, state, request, statuses } of CELLS) {
  for (const mode of CACHING_MODES) {
    test(`${mode}: ${name}: ${statuses[mode]}`, async () => {
      const bench = await inMode(mode, prepare);
      await state?.(bench);
      assert.equal(await statusOf(() => request(bench)), statuses[mode]);
      if (mode === "OFFLINE") assert.deepEqual(bench.upstream.calls, []);
    });
  }
}
