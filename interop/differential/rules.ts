import type { QvlStatus } from "@confcom/verify";
import type { Disagreement } from "./disagreement.ts";

/** Why the two verifiers differ in a way that is right, and what Intel's verifier does. */
export interface Rule {
  readonly name: string;
  /** What Intel's verifier does, which ours follows. */
  readonly intel: string;
  matches(found: Disagreement): boolean;
}

/** Ours accepts, as Intel does; the crate refuses with one of these texts. `and` narrows further. */
function weAccept(
  name: string,
  intel: string,
  errors: readonly RegExp[],
  and: (found: Disagreement) => boolean = () => true,
): Rule {
  return {
    name,
    intel,
    matches: (found) =>
      found.sort === "we accept" &&
      errors.some((error) => error.test(found.crate.error ?? found.crate.panicked ?? "")) &&
      and(found),
  };
}

/** Ours refuses with one of these statuses; the crate accepts. */
function crateAccepts(
  name: string,
  intel: string,
  statuses: readonly QvlStatus[],
  reason = /./,
  and: (found: Disagreement) => boolean = () => true,
): Rule {
  return {
    name,
    intel,
    matches: (found) =>
      found.sort === "crate accepts" &&
      statuses.includes(found.own.status) &&
      reason.test(found.own.reason) &&
      and(found),
  };
}

/** Signatures of these are right by construction, so only the meaning of what is signed can differ. */
const signedAgain = ({ kind }: Disagreement) => kind.startsWith("signed ");
const certificateOrCrl = ({ kind }: Disagreement) => kind === "signed certificate" || kind === "signed CRL";

/** The first rule that matches explains a disagreement. */
export const RULES: readonly Rule[] = [
  weAccept("expired", "expiry only sets a mark on the result", [/expired/i], ({ own }) => own.collateralExpired),
  weAccept("dates of issue", "dates before which something is not valid are not looked at; most are warned of here", [
    /CertNotValidYet/,
    /InvalidCertValidity/,
    /issue date is in the future/,
  ]),
  weAccept("order of a chain", "certificates of a chain are found by their names, in any order", [
    /CaUsedAsEndEntity/,
    /EndEntityUsedAsCa/,
  ]),
  weAccept("text between PEM blocks", "a chain is cut at its END lines, what stands between is skipped", [
    /Failed to parse certs/,
  ]),
  weAccept(
    "spelling of JSON",
    "signatures are over the JSON as its library writes it back: blanks and escapes do not matter",
    [/^Signature is invalid for (tcb_info|qe_identity) in quote_collateral$/, /invalid type: floating point `-0\.0`/],
    ({ kind }) => kind === "JSON" || kind === "signed JSON",
  ),
  weAccept(
    "members that appear twice",
    "the first of two members counts",
    [/^Failed to decode (TcbInfo|QeIdentity): duplicate field/],
    signedAgain,
  ),
  weAccept(
    "types of members that do not matter",
    "members of no meaning to verification are not looked at: advisories of a QE identity, a TDX module's when unused",
    [/^Failed to decode (TcbInfo|QeIdentity): (invalid type|unknown variant|missing field|invalid value: string)/],
    ({ kind }) => kind === "signed JSON",
  ),
  weAccept(
    "numbers over 8 or 16 bits",
    "SVNs are cut to 8 bits and PCESVN is 32 bits wide, with a warning here",
    [/^Failed to decode (TcbInfo|QeIdentity): invalid value: integer/],
    ({ kind }) => kind === "signed JSON",
  ),
  weAccept(
    "dates of TCB levels",
    "a date of the one form is a date, whatever the crate's library thinks of its year",
    [/Invalid .*tcbDate|RFC3339/],
    signedAgain,
  ),
  weAccept(
    "size of authentication data",
    "the QE authentication data may have any size",
    [/^Invalid QE auth data length$/],
    ({ kind }) => kind === "signed quote" || kind === "quote layout",
  ),
  weAccept(
    "attributes of a TD",
    "what a TD may be is for the relying party to say, by a policy",
    [/^Reserved bits in TD attributes|SEPT_VE_DISABLE|TD migration|Key [Ll]ocker|^TD |PKS|KL |service TD/],
    signedAgain,
  ),
  weAccept(
    "current TCB of a TD 1.5",
    "TEE_TCB_SVN2 is only looked at when a relaunch is in question",
    [/TEE_TCB_SVN2/, /^TCB status is invalid: Revoked$/],
    ({ own, kind }) => signedAgain({ own, kind } as Disagreement) && own.quote?.body.kind === "td-1.5",
  ),
  weAccept(
    "contents of extensions",
    "of key usage, basic constraints and others only the presence is checked; their CA flag is warned of here",
    [
      /ExtensionValueInvalid|PathLenConstraintViolated|UnsupportedCriticalExtension|IssuerNotCrlSigner|RequiredEkuNotFound/,
    ],
    certificateOrCrl,
  ),
  weAccept(
    "algorithm that a certificate names",
    "the name of the signature algorithm is not looked at, only ECDSA with SHA-256 is tried; warned of here",
    [
      /SignatureAlgorithmMismatch|UnsupportedSignatureAlgorithm|UnsupportedCrlSignatureAlgorithm|Failed to decode certificate/,
    ],
    ({ own }) => own.warnings.some((warning) => warning.includes("signature algorithm")),
  ),
  weAccept(
    "version of a certificate or CRL",
    "the version field is not looked at",
    [/UnsupportedCertVersion|UnsupportedCrlVersion/],
    certificateOrCrl,
  ),
  weAccept(
    "names that are equal and encoded differently",
    "names are equal when common name, country, organization, locality and state are",
    [/UnknownIssuer|UnknownRevocationStatus|public_values_eq\(path\.cert\.issuer/],
    certificateOrCrl,
  ),
  weAccept(
    "DER that is only skipped",
    "what has no meaning to verification is not read: attributes of names, contents of extensions, serial numbers' signs",
    [
      /BadDer|Bad(Der)?Time|InvalidSerialNumber|MalformedExtensions|MalformedDns|InvalidCrlNumber|UnsupportedIndirectCrl|UnsupportedDeltaCrl|UnsupportedCrlIssuingDistributionPoint|UnsupportedRevocationReason/,
    ],
    certificateOrCrl,
  ),
  weAccept(
    "parts of the PCK extension that do not matter",
    "the elements of the extension are told by their identifiers; their encoding must be right, their range need not",
    [/PceSvn length|Unexpected (ENUMERATED|BOOLEAN)|Intel extension|extension .* appears more than once|CpuSvn length/],
    ({ kind }) => kind === "signed certificate",
  ),

  crateAccepts(
    "exactly three and two certificates",
    "refuses: a PCK chain has three certificates, a TCB signing chain two",
    ["STATUS_UNSUPPORTED_CERT_FORMAT"],
    /certificates instead of|no certificate of the chain is self-issued/,
  ),
  crateAccepts(
    "the root inside a chain",
    "refuses: the chain's own root must be self-signed, trusted and the same in every chain",
    [
      "STATUS_SGX_ROOT_CA_INVALID_ISSUER",
      "STATUS_SGX_ROOT_CA_UNTRUSTED",
      "STATUS_SGX_ROOT_CA_MISSING",
      "STATUS_SGX_PCK_CERT_CHAIN_UNTRUSTED",
      "STATUS_SGX_TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
      "STATUS_SGX_PCK_MISSING",
      "STATUS_SGX_INTERMEDIATE_CA_MISSING",
    ],
  ),
  crateAccepts("names of roles", "refuses: roles are told by common names, and issuers by whole names", [
    "STATUS_SGX_TCB_SIGNING_CERT_MISSING",
    "STATUS_SGX_CRL_UNKNOWN_ISSUER",
    "STATUS_INVALID_PCK_CRL",
    "STATUS_INVALID_PCK_CERT",
    "STATUS_SGX_INTERMEDIATE_CA_INVALID_ISSUER",
    "STATUS_SGX_PCK_INVALID_ISSUER",
    "STATUS_SGX_TCB_SIGNING_CERT_INVALID_ISSUER",
  ]),
  crateAccepts(
    "damaged PEM",
    "refuses damaged blocks; some forms are refused here alone (docs/verification.md)",
    ["STATUS_UNSUPPORTED_CERT_FORMAT"],
    /list of PEM certificates/,
  ),
  crateAccepts(
    "damaged certificates the crate does not read",
    "refuses: every certificate of every chain must be readable; BER that is not DER is refused here alone",
    ["STATUS_UNSUPPORTED_CERT_FORMAT"],
    /not valid DER|signature is not ECDSA|not on P-256|SGX extension/,
  ),
  crateAccepts("required extensions", "refuses: five extensions must be there, and the whole SGX extension", [
    "STATUS_SGX_ROOT_CA_INVALID_EXTENSIONS",
    "STATUS_SGX_INTERMEDIATE_CA_INVALID_EXTENSIONS",
    "STATUS_SGX_TCB_SIGNING_CERT_INVALID_EXTENSIONS",
    "STATUS_SGX_PCK_INVALID_EXTENSIONS",
    "STATUS_UNSUPPORTED_PCK_CERT_FORMAT",
  ]),
  crateAccepts("form of CRLs", "refuses: CRL Number and authority key identifier must be there, and DER be right", [
    "STATUS_SGX_CRL_INVALID_EXTENSIONS",
    "STATUS_SGX_CRL_UNSUPPORTED_FORMAT",
  ]),
  crateAccepts("signatures of CRLs", "refuses: both CRLs must name the algorithm that signed them", [
    "STATUS_SGX_CRL_INVALID_SIGNATURE",
  ]),
  crateAccepts(
    "layout of v4 and v5 quotes",
    "refuses: certification data is of type 6 and nothing is left over",
    ["STATUS_UNSUPPORTED_QUOTE_FORMAT"],
    /unused|is type 6/,
  ),
  crateAccepts(
    "dates of 1970",
    "refuses: a date of zero stands for a date that could not be read",
    ["STATUS_MISSING_PARAMETERS"],
    /1970/,
  ),
  crateAccepts(
    "NUL in a text",
    "refuses: a text field ends where its length says",
    ["STATUS_MISSING_PARAMETERS"],
    /NUL/,
  ),
  crateAccepts("values in JSON", "refuses: every field it knows must have the right type, size and value", [
    "STATUS_SGX_TCB_INFO_INVALID",
    "STATUS_SGX_TCB_INFO_UNSUPPORTED_FORMAT",
    "STATUS_SGX_ENCLAVE_IDENTITY_INVALID",
    "STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_FORMAT",
    "STATUS_SGX_ENCLAVE_IDENTITY_UNSUPPORTED_VERSION",
  ]),
  crateAccepts(
    "signature over spelled JSON",
    "refuses: the signature must be over the JSON as its library writes it back, not over the text",
    ["STATUS_TCB_INFO_INVALID_SIGNATURE", "STATUS_SGX_ENCLAVE_IDENTITY_INVALID_SIGNATURE"],
    /./,
    ({ kind }) => kind === "signed JSON",
  ),
  crateAccepts(
    "attributes under their mask",
    "refuses: the report's masked value is compared with the identity's own, unmasked",
    ["STATUS_QE_IDENTITY_MISMATCH"],
    /^(ATTRIBUTES|MISCSELECT)/,
  ),
  crateAccepts("PCEID of the TCB info", "refuses: it must be the certificate's", ["STATUS_TCB_INFO_MISMATCH"], /PCEID/),
  crateAccepts(
    "TCB components of a certificate",
    "compares the sixteen components, where the crate compares the CPUSVN",
    ["STATUS_TCB_NOT_SUPPORTED", "STATUS_TCB_REVOKED"],
    /./,
    signedAgain,
  ),
  crateAccepts("revoked certificates", "refuses: serial numbers of the CRLs are compared with every certificate", [
    "STATUS_SGX_PCK_REVOKED",
    "STATUS_SGX_INTERMEDIATE_CA_REVOKED",
    "STATUS_SGX_TCB_SIGNING_CERT_REVOKED",
    "STATUS_PCK_REVOKED",
  ]),
  crateAccepts("TDX module", "refuses: SEAMATTRIBUTES must be zero and equal to those of the TCB info", [
    "STATUS_TDX_MODULE_MISMATCH",
  ]),
  crateAccepts(
    "supplemental data",
    "fails after the verdict when its supplemental data cannot be filled",
    Object.keys({
      STATUS_OK: 0,
      STATUS_TCB_SW_HARDENING_NEEDED: 0,
      STATUS_TCB_CONFIGURATION_NEEDED: 0,
      STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED: 0,
      STATUS_TCB_OUT_OF_DATE: 0,
      STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED: 0,
      STATUS_TCB_TD_RELAUNCH_ADVISED: 0,
    }) as QvlStatus[],
    /multi-package|CRL number|advisories|TCB level|PCESVN|SGX type/,
    signedAgain,
  ),

  {
    name: "verdict by CPUSVN or components",
    intel: "takes the TCB from the sixteen components of the certificate, the crate from its CPUSVN",
    matches: ({ sort, kind }) => sort === "verdict" && kind === "signed certificate",
  },
  {
    name: "verdict of a relaunch",
    intel: "advises a relaunch only if the TDX module is what is out of date and the newest level is reached",
    matches: ({ sort, own, crate }) =>
      sort === "verdict" &&
      own.quote?.body.kind === "td-1.5" &&
      (own.result.startsWith("TD_RELAUNCH") || (crate.status ?? "").startsWith("TDRelaunch")),
  },
  {
    name: "verdict of levels out of range or spelled twice",
    intel: "cuts SVNs to 8 bits, takes the first of two members and sorts the levels",
    matches: ({ sort, kind }) => sort === "verdict" && kind === "signed JSON",
  },
  {
    name: "advisories",
    intel: "gives those of the matched TCB level; the crate adds those of the QE and the TDX module",
    matches: ({ sort, own, crate }) =>
      sort === "advisories" && own.advisories.every((advisory) => crate.advisoryIds?.includes(advisory)),
  },
];
