import {
  type FakeService,
  fakeService,
  ManualClock,
  type ServiceForm,
  type SoftwarePki,
  softwarePki,
  TEST_FMSPC,
  TEST_TCB_LEVELS,
  type TestPlatform,
  type TestPlatformOptions,
  type TestTcbLevel,
} from "@confcom/collateral/testing";
import { testQuote } from "./test-quotes.ts";

/** A provisioning service on loopback whose CAs have Intel's names under a root of their own, and one platform of it. */
export interface FakePcs {
  readonly service: FakeService;
  readonly pki: SoftwarePki;
  /** Of the Platform CA. */
  readonly platform: TestPlatform;
  quote(tee: "sgx" | "tdx", of?: TestPlatform): Buffer;
}

const NAME = "interop";

/** The caller closes `service`. Its documents are of `now`. */
export async function startFakePcs(
  now: Date,
  options: { readonly form?: ServiceForm; readonly platform?: TestPlatformOptions } = {},
): Promise<FakePcs> {
  const { form = "pcs" } = options;
  const clock = new ManualClock(now.getTime() - 60_000);
  let pki = softwarePki({ name: NAME, clock });
  // The PKI writes into its certificates where the service is, which is known once it listens.
  const service = await fakeService({
    form,
    get pki() {
      return pki;
    },
  });
  pki = softwarePki({ name: NAME, clock, crlBase: service.origin, vendor: "Intel" });
  // Fortanix's client knows no other advisories.
  const advisories = ({ advisoryIds = [] }: TestTcbLevel) => advisoryIds.map((id) => id.replace("CONFCOM", "INTEL"));
  const levels = TEST_TCB_LEVELS.map((level) => ({ ...level, advisoryIds: advisories(level) }));
  pki.levels.set(TEST_FMSPC, levels);
  const known = pki;
  const platform = known.addPlatform(options.platform ?? {});
  return { service, pki, platform, quote: (tee, of = platform) => testQuote(tee, known, NAME, of) };
}
