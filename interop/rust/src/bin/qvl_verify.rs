//! Verifies one quote with the crate `dcap-qvl` and prints its verdict as one line of JSON:
//!
//!   {"accepted":true,"status":"UpToDate","advisoryIds":[...],"ppid":HEX} or {"accepted":false,"error":TEXT}
//!
//! Exit code 0 for either verdict, 2 when the question itself could not be read.

use std::collections::HashMap;
use std::fs;
use std::process::ExitCode;

use dcap_qvl::configs::{RingConfig, RustCryptoConfig};
use dcap_qvl::verify::{QuoteVerifier, VerifiedReport};
use dcap_qvl::QuoteCollateralV3;
use serde_json::json;

const USAGE: &str = "usage: qvl-verify --quote FILE --collateral FILE.json --root FILE(PEM or DER)|intel --now UNIX_SECONDS \
                     [--backend ring|rustcrypto] [--allow-debug]";

struct Question {
    quote: Vec<u8>,
    collateral: QuoteCollateralV3,
    /// The DER of the root certificate to trust; None for the one built into the crate (Intel's).
    root: Option<Vec<u8>>,
    now: u64,
    rustcrypto: bool,
    allow_debug: bool,
}

fn main() -> ExitCode {
    match read_question() {
        Ok(question) => {
            println!("{}", verdict(&question));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("qvl-verify: {error}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn verdict(question: &Question) -> serde_json::Value {
    match verify(question) {
        Ok(report) => json!({
            "accepted": true,
            "status": report.status,
            "advisoryIds": report.advisory_ids,
            "ppid": hex::encode(&report.ppid),
        }),
        Err(error) => json!({ "accepted": false, "error": error }),
    }
}

fn verify(question: &Question) -> Result<VerifiedReport, String> {
    let verifier = match &question.root {
        Some(der) => QuoteVerifier::new(der.clone()),
        None => QuoteVerifier::new_prod(),
    }
    .allow_debug(question.allow_debug);
    let Question {
        quote,
        collateral,
        now,
        ..
    } = question;
    if question.rustcrypto {
        verifier
            .with_config::<RustCryptoConfig>()
            .verify(quote, collateral, *now)
    } else {
        verifier
            .with_config::<RingConfig>()
            .verify(quote, collateral, *now)
    }
    .map_err(|error| format!("{error:#}"))
}

fn read_question() -> Result<Question, String> {
    let mut options: HashMap<String, String> = HashMap::new();
    let mut allow_debug = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--allow-debug" => allow_debug = true,
            "--quote" | "--collateral" | "--root" | "--now" | "--backend" => {
                let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
                options.insert(arg, value);
            }
            _ => return Err(format!("unknown argument {arg}")),
        }
    }
    let option = |name: &str| {
        options
            .get(name)
            .ok_or_else(|| format!("{name} is missing"))
    };
    let read = |path: &String| fs::read(path).map_err(|e| format!("{path}: {e}"));
    let collateral = read(option("--collateral")?)?;
    let root = match option("--root")?.as_str() {
        "intel" => None,
        _ => Some(certificate_der(read(option("--root")?)?)?),
    };
    Ok(Question {
        quote: read(option("--quote")?)?,
        collateral: serde_json::from_slice(&collateral).map_err(|e| format!("collateral: {e}"))?,
        root,
        now: option("--now")?
            .parse()
            .map_err(|e| format!("--now: {e}"))?,
        rustcrypto: match options.get("--backend").map(String::as_str) {
            None | Some("ring") => false,
            Some("rustcrypto") => true,
            Some(other) => return Err(format!("unknown backend {other}")),
        },
        allow_debug,
    })
}

fn certificate_der(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(b"-----BEGIN") {
        return Ok(bytes);
    }
    let block = pem::parse(&bytes).map_err(|e| format!("root: {e}"))?;
    Ok(block.into_contents())
}
