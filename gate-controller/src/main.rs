//! `varco-gate`: check a configuration, enrol a gate at central, run a gate.

use clap::{Parser, Subcommand};
use gate_controller::run::Failure;
use gate_controller::{check, enrol, identity, run};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

/// Exit status when the journal cannot be written (`EX_IOERR` of sysexits).
const EX_IOERR: u8 = 74;
/// Exit status for a defect (`EX_SOFTWARE`).
const EX_SOFTWARE: u8 = 70;

#[derive(Parser)]
#[command(name = "varco-gate", version, about = "The edge daemon of one node of a port")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Report every problem of site and node files; exit status 78 when there is one
    CheckConfig {
        /// Site or node files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Get this gate's certificate from central with a one-time token
    Enrol {
        /// The node file
        #[arg(long)]
        config: PathBuf,
        /// varco1.SECRET.FINGERPRINT as central printed it
        #[arg(long)]
        token: String,
    },
    /// Run the lanes of one node
    Run {
        /// The node file
        #[arg(long)]
        config: PathBuf,
        /// Written as {"console":"IP:PORT"} once the lanes run
        #[arg(long)]
        ready_file: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colour = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    // Only fails where a provider is installed already, which is then the same one.
    let _ = std::sync::Arc::unwrap_or_clone(identity::provider()).install_default();
    match arguments.verb {
        Verb::CheckConfig { files } => match check::check_files(&files, &mut std::io::stdout().lock()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(check::EX_CONFIG),
            Err(_) => ExitCode::FAILURE,
        },
        Verb::Enrol { config, token } => with_node(&config, |loaded| {
            runtime()?.block_on(enrol::enrol(&loaded, &token))?;
            println!("node {} is enrolled", loaded.node.node);
            Ok(())
        }),
        Verb::Run { config, ready_file } => {
            with_node(&config, |loaded| runtime()?.block_on(run::run(loaded, ready_file.as_deref())))
        }
    }
}

/// Two workers: one lane's JSON or signature never delays another lane's arm, and memory stays small.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(4)
        .enable_all()
        .build()?)
}

fn with_node(file: &std::path::Path, work: impl FnOnce(config::Loaded) -> anyhow::Result<()>) -> ExitCode {
    let loaded = match config::load_node(file) {
        Ok(loaded) => loaded,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(check::EX_CONFIG);
        }
    };
    match work(loaded) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("varco-gate: {error:#}");
            match error.downcast_ref::<Failure>() {
                Some(Failure::Journal(_)) => ExitCode::from(EX_IOERR),
                Some(Failure::Task { .. }) => ExitCode::from(EX_SOFTWARE),
                None if error.is::<journal::JournalError>() => ExitCode::from(EX_IOERR),
                None => ExitCode::FAILURE,
            }
        }
    }
}
