//! Drives Fortanix's AESM client (crate `aesm-client`) against a socket, one command per line of standard input:
//!
//!   {"do":"keys"}                                 the ids of the attestation keys the service offers
//!   {"do":"init"}                                 init_quote_ex: the client asks for the size, then for the key
//!   {"do":"quote","report":HEX,"nonce":HEX,       get_quote_ex: the client asks for the size, then for the quote.
//!    "targetInfo":HEX}                            Without targetInfo the client derives it from the report.
//!
//! Every command is answered by one line: {"ok":true, ...} or {"ok":false,"error":TEXT}. The client itself checks
//! neither nonce nor QE report; it hands both to its caller, so the answer carries them for the caller to check.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use aesm_client::unix::AesmClientExt;
use aesm_client::AesmClient;
use serde_json::{json, Value};

/// Where sgx_att_key_id_ext_t keeps its algorithm (u32, little-endian), and the value that means ECDSA on P-256.
const ALGORITHM_OFFSET: usize = 154;
const ALGORITHM_ECDSA_P256: [u8; 4] = 2u32.to_le_bytes();
const REPORT_SIZE: usize = 432;

fn main() -> ExitCode {
    let Some(socket) = std::env::args().nth(1) else {
        eprintln!("usage: aesm-flow SOCKET    (commands as JSON lines on standard input)");
        return ExitCode::from(2);
    };
    let client = AesmClient::with_path(socket);
    for line in io::stdin().lock().lines() {
        let answer = match line
            .map_err(|e| e.to_string())
            .and_then(|line| run(&client, &line))
        {
            Ok(mut fields) => {
                fields["ok"] = json!(true);
                fields
            }
            Err(error) => json!({ "ok": false, "error": error }),
        };
        let mut out = io::stdout().lock();
        if writeln!(out, "{answer}")
            .and_then(|()| out.flush())
            .is_err()
        {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn run(client: &AesmClient, line: &str) -> Result<Value, String> {
    let command: Value =
        serde_json::from_str(line).map_err(|e| format!("command is not JSON: {e}"))?;
    match command["do"].as_str() {
        Some("keys") => {
            let ids = client.get_supported_att_key_ids().map_err(explain)?;
            Ok(json!({ "keyIds": ids.iter().map(hex::encode).collect::<Vec<_>>() }))
        }
        Some("init") => {
            let info = client
                .init_quote_ex(ecdsa_key_id(client)?)
                .map_err(explain)?;
            Ok(
                json!({ "targetInfo": hex::encode(info.target_info()), "pubKeyId": hex::encode(info.pub_key_id()) }),
            )
        }
        Some("quote") => {
            let report = bytes(&command, "report")?.ok_or("quote needs a report")?;
            if report.len() != REPORT_SIZE {
                return Err(format!(
                    "a report has {REPORT_SIZE} bytes, this one has {}",
                    report.len()
                ));
            }
            let nonce = bytes(&command, "nonce")?.ok_or("quote needs a nonce")?;
            let target_info = bytes(&command, "targetInfo")?;
            let result = client
                .get_quote_ex(ecdsa_key_id(client)?, report, target_info, nonce)
                .map_err(explain)?;
            Ok(
                json!({ "quote": hex::encode(result.quote()), "qeReport": hex::encode(result.qe_report()) }),
            )
        }
        other => Err(format!("unknown command {other:?}: keys, init or quote")),
    }
}

fn ecdsa_key_id(client: &AesmClient) -> Result<Vec<u8>, String> {
    client
        .get_supported_att_key_ids()
        .map_err(explain)?
        .into_iter()
        .find(|id| id.get(ALGORITHM_OFFSET..ALGORITHM_OFFSET + 4) == Some(&ALGORITHM_ECDSA_P256))
        .ok_or_else(|| "the service offers no ECDSA P-256 attestation key".to_owned())
}

fn bytes(command: &Value, field: &str) -> Result<Option<Vec<u8>>, String> {
    match command.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => hex::decode(text)
            .map(Some)
            .map_err(|e| format!("{field} is not hex: {e}")),
        Some(_) => Err(format!("{field} must be a hex string")),
    }
}

/// The client keeps the cause of a communication error as its source; say it too.
fn explain(error: aesm_client::Error) -> String {
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
