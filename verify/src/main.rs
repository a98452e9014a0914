//! `varco-verify FILE.zip`: checks the evidence of one pass. Exit status 0: it holds; 1: it does not; 2: it
//! could not be read.

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;
use verify::{Keys, MOST_BYTES, check};

#[derive(Parser)]
#[command(name = "varco-verify", version, about = "Checks the evidence of one pass of a Varco gate")]
struct Arguments {
    /// The evidence, as `varco-gate evidence export` wrote it
    file: PathBuf,
    /// The gate's key (base64url) or a file with it
    #[arg(long)]
    gate_key: Option<String>,
    /// Central's key (base64url) or a file with it
    #[arg(long)]
    central_key: Option<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("varco-verify: {why}");
            ExitCode::from(2)
        }
    }
}

fn key(given: Option<&String>, option: &str) -> Result<Option<ed25519_dalek::VerifyingKey>, String> {
    let Some(given) = given else { return Ok(None) };
    let text = std::fs::read_to_string(given).unwrap_or_else(|_| given.clone());
    gate_types::jws::key_from_text(&text)
        .map(Some)
        .map_err(|e| format!("{option}: neither a key in base64url nor a file with one: {e}"))
}

fn run(arguments: &Arguments) -> Result<bool, String> {
    let keys = Keys {
        gate: key(arguments.gate_key.as_ref(), "--gate-key")?,
        central: key(arguments.central_key.as_ref(), "--central-key")?,
    };
    let file = arguments.file.display();
    let size = std::fs::metadata(&arguments.file).map_err(|e| format!("{file}: {e}"))?.len();
    if size > MOST_BYTES {
        return Err(format!("{file}: larger than {MOST_BYTES} bytes"));
    }
    let bytes = std::fs::read(&arguments.file).map_err(|e| format!("{file}: {e}"))?;
    let report = check(&bytes, &keys);
    for line in &report.story {
        println!("{line}");
    }
    report.holds.iter().for_each(|line| println!("holds   {line}"));
    report.notes.iter().for_each(|line| println!("note    {line}"));
    report.problems.iter().for_each(|line| println!("BROKEN  {line}"));
    let sound = report.problems.is_empty();
    println!("{}", if sound { "The evidence holds." } else { "The evidence does NOT hold." });
    Ok(sound)
}
