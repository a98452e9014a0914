//! A barcode or QR reader on the bench: `tcp://HOST:PORT?protocol=barcode&central_key=FILE&port=ITBRI&node=1`
//! (`central_key`: `identity/release-key` of an enrolled gate).

use super::device::setting;
use super::device_bench::{Bench, Limits};
use anyhow::{Context as _, Result};
use barcode::{BarcodeDriver, Issuer, Shown};
use device::Endpoint;
use gate_types::{NodeId, PortId, jws};
use std::io::Write;
use tokio::sync::mpsc;

/// Codes that may wait to be printed.
const WAITING: usize = 16;

fn issuer(endpoint: &mut Endpoint) -> Result<Issuer> {
    let mut of = |key: &str| {
        let form = "protocol=barcode&central_key=FILE&port=ITBRI&node=1";
        endpoint.query.remove(key).with_context(|| format!("endpoint: {key}= is missing; write {form}"))
    };
    let file = of("central_key")?;
    let text = std::fs::read_to_string(&file).with_context(|| file.clone())?;
    let key = jws::key_from_text(text.trim()).with_context(|| file)?;
    Ok(Issuer { key, port: PortId::new(of("port")?)?, node: NodeId::new(of("node")?)? })
}

/// One line a code: a pass with its mission, a pass that does not hold and why, or some other code.
fn told(shown: &Shown) -> serde_json::Value {
    match shown {
        Shown::Pass(pass) => serde_json::json!({ "shown": "pass", "pass": **pass }),
        Shown::Refused(why) => serde_json::json!({ "shown": "refused", "why": why.to_string() }),
        Shown::Other(text) => serde_json::json!({ "shown": "other", "text": text }),
    }
}

/// Prints the codes that are shown to the reader, and its health.
pub(super) async fn watch(mut endpoint: Endpoint, limits: &Limits, out: &mut impl Write) -> Result<bool> {
    let issuer = issuer(&mut endpoint)?;
    let _protocol: String = setting(&mut endpoint, "protocol", String::new())?;
    let (shown, codes) = mpsc::channel(WAITING);
    let mut bench =
        Bench::start("codes", BarcodeDriver::new(endpoint, issuer, shown), limits)?.beside(codes, told);
    let up = bench.watch(limits, out).await;
    bench.stop().await;
    up
}
