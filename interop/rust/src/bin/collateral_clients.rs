//! Fetches collateral from a PCCS with other people's clients: one question as JSON on standard input, one answer as JSON on
//! standard output. Numbers are hexadecimal texts of their bytes in order.
//!
//!   {"client":"pccs"|"azure","url":BASE,"version":3|4,"root":DER,"platform":{"qeId","pceId","cpuSvn","pceSvn","encryptedPpid"},
//!    "fmspc":HEX,"tdxFmspc":HEX?,"ownNames":BOOL?}
//!       the crate dcap-artifact-retrieval: PCK certificate, PCK CRLs, TCB info, QE identity and root CA CRL, each verified
//!       with the crate pcs under `root`. `azure` fetches the PCK certificate alone. The crate takes PCK CRLs, TCB
//!       infos and identities of issuers with Intel's names only: with `ownNames` the first are checked but for the name,
//!       which it looks at last, and the others are fetched and not verified.
//!   {"client":"qvl","url":BASE,"quote":HEX,"root":DER,"now":SECONDS}
//!       the crate dcap-qvl: everything the quote needs, and the verdict with it.
//!
//! Answer: {"ok":true, ...} or {"ok":false,"error":TEXT}. Exit code 0 for either.

use std::io::{self, Read};

use dcap_artifact_retrieval::provisioning_client::{
    AzureProvisioningClientBuilder, Client, Fetcher, PccsProvisioningClientBuilder, PcsVersion,
    ProvisioningClient,
};
use dcap_artifact_retrieval::{reqwest_client, Error, ReqwestClient, StatusCode};
use dcap_qvl::collateral::CollateralClient;
use dcap_qvl::configs::RingConfig;
use dcap_qvl::verify::QuoteVerifier;
use pcs::{DcapArtifactIssuer, EnclaveIdentity, Fmspc};
use serde_json::{json, Value};

/// Where the Azure client goes, whatever it is told.
const AZURE_HOST: &str = "https://global.acccache.azure.net";

fn main() {
    let answer = match read_question().and_then(|question| answer(&question)) {
        Ok(mut fields) => {
            fields["ok"] = json!(true);
            fields
        }
        Err(error) => json!({ "ok": false, "error": error }),
    };
    println!("{answer}");
}

fn read_question() -> Result<Value, String> {
    let mut text = String::new();
    io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| format!("the question is not JSON: {e}"))
}

fn answer(question: &Value) -> Result<Value, String> {
    match text(question, "client")? {
        "pccs" => pccs(question),
        "azure" => azure(question),
        "qvl" => qvl(question),
        other => Err(format!("no client is called {other}")),
    }
}

fn pccs(question: &Value) -> Result<Value, String> {
    let version = match question["version"].as_u64() {
        Some(3) => PcsVersion::V3,
        _ => PcsVersion::V4,
    };
    let url = text(question, "url")?.to_owned();
    let client = PccsProvisioningClientBuilder::new(version, url).build(reqwest_client());
    let root = bytes(question, "root")?;
    let roots = [root.as_slice()];

    let own_names = question["ownNames"].as_bool().unwrap_or(false);

    let root_crl = client.root_ca_crl().map_err(explain("root CA CRL"))?;
    let root_crl_der = root_crl.crl_as_der().map_err(explain("root CA CRL"))?;
    root_crl.verify(&roots).map_err(explain("root CA CRL"))?;

    let mut crls = Vec::new();
    let mut crl_ders = Vec::new();
    for issuer in [
        DcapArtifactIssuer::PCKProcessorCA,
        DcapArtifactIssuer::PCKPlatformCA,
    ] {
        let crl = client.pckcrl(issuer).map_err(explain("PCK CRL"))?;
        crl_ders.push(hex::encode(crl.crl_as_der().map_err(explain("PCK CRL"))?));
        crls.push(match crl.verify(&roots) {
            Err(pcs::Error::InvalidCaFormat) if own_names => None,
            other => Some(other.map_err(explain("PCK CRL"))?),
        });
    }

    let certificate = pck_certificate(&client, question)?;
    let leaf = certificate.pck_pem().clone();
    let crl = match certificate.issuer() {
        Err(pcs::Error::InvalidCaFormat) if own_names => None,
        other => {
            let ca = other.map_err(explain("PCK issuer"))?;
            crls[usize::from(ca == DcapArtifactIssuer::PCKPlatformCA)].as_ref()
        }
    };
    let verified = certificate
        .verify(&roots, crl.map(|crl| crl.crl_as_pem().as_str()))
        .map_err(explain("PCK certificate"))?;
    let fmspc = verified.fmspc().map_err(explain("FMSPC"))?;

    let fmspc_asked = Fmspc::try_from(text(question, "fmspc")?)
        .map_err(|_| "fmspc is not 12 digits".to_owned())?;
    let tcb_info = client
        .sgx_tcbinfo(&fmspc_asked, None)
        .map_err(explain("TCB info"))?;
    let identity = client.qe_identity(None).map_err(explain("QE identity"))?;
    let mut evaluations = Value::Null;
    if !own_names {
        let tcb = tcb_info
            .verify(&roots, tcb_info_version(version))
            .map_err(explain("TCB info"))?;
        let qe = identity
            .verify(&roots, EnclaveIdentity::QE)
            .map_err(explain("QE identity"))?;
        evaluations = json!([
            tcb.tcb_evaluation_data_number(),
            qe.tcb_evaluation_data_number()
        ]);
    }
    let tdx = match question["tdxFmspc"].as_str() {
        None => Value::Null,
        Some(digits) => {
            let fmspc =
                Fmspc::try_from(digits).map_err(|_| "tdxFmspc is not 12 digits".to_owned())?;
            let info = client
                .tdx_tcbinfo(&fmspc, None)
                .map_err(explain("TDX TCB info"))?;
            let text = info.raw_tcb_info().to_owned();
            info.verify(&roots, tcb_info_version(version))
                .map_err(explain("TDX TCB info"))?;
            json!(text)
        }
    };
    Ok(json!({
        "pckCertificate": leaf,
        "fmspc": fmspc.to_string(),
        "rootCaCrl": hex::encode(root_crl_der),
        "pckCrls": crl_ders,
        "pckCrlsVerified": crls.iter().filter(|crl| crl.is_some()).count(),
        "tcbInfo": tcb_info.raw_tcb_info(),
        "qeIdentity": identity.raw_qe_identity(),
        "evaluations": evaluations,
        "tdxTcbInfo": tdx,
    }))
}

fn tcb_info_version(version: PcsVersion) -> u16 {
    match version {
        PcsVersion::V3 => 2,
        PcsVersion::V4 => 3,
    }
}

fn azure(question: &Value) -> Result<Value, String> {
    let fetcher = Redirected {
        client: reqwest_client(),
        base: text(question, "url")?.to_owned(),
    };
    let client = AzureProvisioningClientBuilder::new(PcsVersion::V4).build(fetcher);
    let certificate = pck_certificate(&client, question)?;
    let leaf = certificate.pck_pem().clone();
    let root = bytes(question, "root")?;
    certificate
        .verify(&[root.as_slice()], None)
        .map_err(explain("PCK certificate"))?;
    Ok(json!({ "pckCertificate": leaf }))
}

fn pck_certificate<F: for<'a> Fetcher<'a>>(
    client: &Client<F>,
    question: &Value,
) -> Result<pcs::PckCert<pcs::Unverified>, String> {
    let platform = &question["platform"];
    let encrypted_ppid = bytes(platform, "encryptedPpid")?;
    let cpu_svn = array::<16>(platform, "cpuSvn")?;
    let qe_id = array::<16>(platform, "qeId")?;
    let pce_svn = u16::from_le_bytes(array::<2>(platform, "pceSvn")?);
    let pce_id = u16::from_le_bytes(array::<2>(platform, "pceId")?);
    client
        .pckcert(
            Some(&encrypted_ppid),
            &pce_id,
            &cpu_svn,
            pce_svn,
            Some(&qe_id),
        )
        .map_err(explain("PCK certificate"))
}

/// The Azure client's requests, sent to another host.
struct Redirected {
    client: ReqwestClient,
    base: String,
}

impl<'req> Fetcher<'req> for Redirected {
    type Request = <ReqwestClient as Fetcher<'req>>::Request;
    type Response = <ReqwestClient as Fetcher<'req>>::Response;

    fn build_request(
        &'req self,
        url: &String,
        headers: Vec<(String, String)>,
    ) -> Result<Self::Request, Error> {
        let path = url
            .strip_prefix(AZURE_HOST)
            .ok_or_else(|| Error::FetcherFailure(format!("the client asked for {url}")))?;
        Fetcher::build_request(&self.client, &format!("{}{path}", self.base), headers)
    }

    fn send(&'req self, request: Self::Request) -> Result<(StatusCode, Self::Response), Error> {
        Fetcher::send(&self.client, request)
    }

    fn parse_response(
        &'req self,
        response: Self::Response,
    ) -> Result<(String, Vec<(String, String)>), Error> {
        Fetcher::parse_response(&self.client, response)
    }
}

fn qvl(question: &Value) -> Result<Value, String> {
    let quote = bytes(question, "quote")?;
    let now = question["now"].as_u64().ok_or("now is missing")?;
    let client =
        CollateralClient::with_default_http(text(question, "url")?).map_err(explain("client"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| e.to_string())?;
    let collateral = runtime
        .block_on(client.fetch(&quote))
        .map_err(|e| format!("collateral: {e:#}"))?;
    let report = QuoteVerifier::new(bytes(question, "root")?)
        .with_config::<RingConfig>()
        .verify(&quote, &collateral, now)
        .map_err(|e| format!("verify: {e:#}"))?;
    Ok(
        json!({ "status": report.status, "advisoryIds": report.advisory_ids, "tcbInfo": collateral.tcb_info }),
    )
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, String> {
    value[name]
        .as_str()
        .ok_or_else(|| format!("{name} is missing"))
}

fn bytes(value: &Value, name: &str) -> Result<Vec<u8>, String> {
    hex::decode(text(value, name)?).map_err(|e| format!("{name} is not hexadecimal: {e}"))
}

fn array<const N: usize>(value: &Value, name: &str) -> Result<[u8; N], String> {
    bytes(value, name)?
        .try_into()
        .map_err(|_| format!("{name} is not {N} bytes"))
}

fn explain<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> String + '_ {
    move |error| format!("{what}: {error}")
}
