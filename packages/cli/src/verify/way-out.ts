import type { PolicyFailure } from "@confcom/verify";

/** Flags that take the value found; `--report-data` wins over a file's. */
const FLAGS: Readonly<Partial<Record<PolicyFailure["rule"], string>>> = {
  allowedResults: "--allow",
  allowedPlatforms: "--allow-platform",
  minimumTcbEvaluationDataNumber: "--min-tcb-eval",
  minimumQeIsvSvn: "--min-qe-svn",
  minimumPceSvn: "--min-pce-svn",
  reportData: "--report-data",
  "sgx.mrEnclave": "--mrenclave",
  "sgx.mrSigner": "--mrsigner",
  "sgx.isvProdId": "--isv-prod-id",
  "sgx.minimumIsvSvn": "--min-isv-svn",
  "td.mrTd": "--mrtd",
};

/** The flag with which a person would have the quote accepted all the same; undefined if only the policy file can say. */
export function flagFor({ rule, found }: PolicyFailure): string | undefined {
  switch (rule) {
    case "allowExpiredCollateral":
      return "--allow-expired";
    case "allowDebug":
      return "--allow-debug";
    case "maximumCollateralAge":
      return `--max-collateral-age ${Number.parseInt(found, 10)}`;
    case "toleratedAdvisories":
      return found
        .split(", ")
        .map((advisory) => `--tolerate-advisory ${advisory}`)
        .join(" ");
    case "td.rtmr":
      return `--rtmr ${found.replace(/^RTMR(\d) /, "$1=")}`;
    default: {
      const flag = FLAGS[rule];
      return flag === undefined ? undefined : `${flag} ${found}`;
    }
  }
}

/** The same in words. */
export function wayOut(failure: PolicyFailure): string {
  const flag = flagFor(failure);
  if (flag !== undefined) return `${flag} would accept it`;
  switch (failure.rule) {
    case "sgx":
      return "a policy without requirements on SGX enclaves would accept it";
    case "td":
      return "a policy without requirements on TDs would accept it";
    case "reportDataHashOf":
      return "without --report-data-sha256, or reportDataHashOf in the policy file, it would be accepted";
    default:
      return `only ${failure.rule} of the policy file could accept it`;
  }
}
