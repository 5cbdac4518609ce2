//! Verifies many quotes with the crate `dcap-qvl`. One JSON object a line on standard input:
//!
//!   {"base":{COLLATERAL}}                                          remembered under the next number, from 0; no answer
//!   {"ask":NUMBER,"quote":HEX,"root":HEX,"now":SECONDS,"set":{FIELD:TEXT,...}}
//!
//! A question is about the numbered collateral with the fields in "set" replaced; "root" is the DER of the root to trust.
//! CRLs and signatures are hexadecimal, other fields text. One line is answered for each question, in order:
//!
//!   {"accepted":true,"status":"UpToDate","advisoryIds":[...]}, {"accepted":false,"error":TEXT} or {"panicked":TEXT}
//!
//! Debug enclaves and service TDs are allowed. Exit code 0 at the end of input, 2 when a line could not be read.

use std::io::{stdin, stdout, BufRead, BufReader, BufWriter, Write};
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::process::ExitCode;

use dcap_qvl::configs::RingConfig;
use dcap_qvl::verify::QuoteVerifier;
use dcap_qvl::QuoteCollateralV3;
use serde_json::{json, Value};

const BYTE_FIELDS: [&str; 4] = [
    "root_ca_crl",
    "pck_crl",
    "tcb_info_signature",
    "qe_identity_signature",
];

fn main() -> ExitCode {
    set_hook(Box::new(|_| {}));
    match answer_all() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("qvl-batch: {error}");
            ExitCode::from(2)
        }
    }
}

fn answer_all() -> Result<(), String> {
    let mut bases: Vec<QuoteCollateralV3> = Vec::new();
    let mut out = BufWriter::new(stdout().lock());
    let mut input = BufReader::new(stdin().lock());
    let mut line = String::new();
    while input.read_line(&mut line).map_err(|e| e.to_string())? > 0 {
        let question: Value = serde_json::from_str(&line).map_err(|e| e.to_string())?;
        if let Some(base) = question.get("base") {
            bases.push(read_base(base)?);
            line.clear();
            continue;
        }
        let number = question["ask"].as_u64().ok_or("neither base nor ask")?;
        let base = bases.get(number as usize).ok_or("no such base")?;
        let answer = answer(base, &question);
        writeln!(out, "{answer}").map_err(|e| e.to_string())?;
        // Who asks one question and waits for its answer must get it.
        if input.buffer().is_empty() {
            out.flush().map_err(|e| e.to_string())?;
        }
        line.clear();
    }
    out.flush().map_err(|e| e.to_string())
}

fn read_base(value: &Value) -> Result<QuoteCollateralV3, String> {
    let mut collateral = QuoteCollateralV3 {
        pck_crl_issuer_chain: String::new(),
        root_ca_crl: Vec::new(),
        pck_crl: Vec::new(),
        tcb_info_issuer_chain: String::new(),
        tcb_info: String::new(),
        tcb_info_signature: Vec::new(),
        qe_identity_issuer_chain: String::new(),
        qe_identity: String::new(),
        qe_identity_signature: Vec::new(),
        pck_certificate_chain: None,
    };
    for (name, text) in value.as_object().ok_or("collateral is no object")? {
        set(&mut collateral, name, text.as_str().unwrap_or_default())?;
    }
    Ok(collateral)
}

fn set(collateral: &mut QuoteCollateralV3, name: &str, text: &str) -> Result<(), String> {
    if BYTE_FIELDS.contains(&name) {
        let bytes = hex::decode(text).map_err(|e| format!("{name}: {e}"))?;
        match name {
            "root_ca_crl" => collateral.root_ca_crl = bytes,
            "pck_crl" => collateral.pck_crl = bytes,
            "tcb_info_signature" => collateral.tcb_info_signature = bytes,
            _ => collateral.qe_identity_signature = bytes,
        }
        return Ok(());
    }
    let field = match name {
        "pck_crl_issuer_chain" => &mut collateral.pck_crl_issuer_chain,
        "tcb_info_issuer_chain" => &mut collateral.tcb_info_issuer_chain,
        "tcb_info" => &mut collateral.tcb_info,
        "qe_identity_issuer_chain" => &mut collateral.qe_identity_issuer_chain,
        "qe_identity" => &mut collateral.qe_identity,
        _ => return Err(format!("unknown field {name}")),
    };
    *field = text.to_owned();
    Ok(())
}

/// Also what cannot be put into the crate's types is a refusal: its callers could not even ask.
fn answer(base: &QuoteCollateralV3, question: &Value) -> Value {
    catch_unwind(AssertUnwindSafe(|| verdict(base, question))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|s| s.to_string()));
        json!({ "panicked": text.unwrap_or_default() })
    })
}

fn verdict(base: &QuoteCollateralV3, question: &Value) -> Value {
    match verify(base, question) {
        Ok((status, advisory_ids)) => {
            json!({ "accepted": true, "status": status, "advisoryIds": advisory_ids })
        }
        Err(error) => json!({ "accepted": false, "error": error }),
    }
}

fn verify(base: &QuoteCollateralV3, question: &Value) -> Result<(String, Vec<String>), String> {
    let mut collateral = base.clone();
    for (name, text) in question["set"].as_object().into_iter().flatten() {
        set(&mut collateral, name, text.as_str().unwrap_or_default())?;
    }
    let bytes = |name: &str| {
        hex::decode(question[name].as_str().unwrap_or_default()).map_err(|e| format!("{name}: {e}"))
    };
    let report = QuoteVerifier::new(bytes("root")?)
        .allow_debug(true)
        .allow_service_td(true)
        .with_config::<RingConfig>()
        .verify(
            &bytes("quote")?,
            &collateral,
            question["now"].as_u64().unwrap_or_default(),
        )
        .map_err(|error| format!("{error:#}"))?;
    Ok((report.status, report.advisory_ids))
}
