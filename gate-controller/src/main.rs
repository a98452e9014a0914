//! `varco-gate`: check a configuration, enrol a gate at central, run a gate.

use clap::{Parser, Subcommand};
use gate_controller::run::Failure;
use gate_controller::{check, enrol, identity, run, verbs};
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
    /// Watch or test one device alone
    #[command(subcommand)]
    Device(verbs::DeviceVerb),
    /// Look into a journal; a running daemon is not disturbed
    #[command(subcommand)]
    Journal(JournalVerb),
    /// Hand out the proof of a pass
    #[command(subcommand)]
    Evidence(EvidenceVerb),
    /// Learn from a journal how cameras misread; with --camera and --output, write that camera's table
    Confusions {
        /// The journal
        db: PathBuf,
        /// The camera
        #[arg(long, requires = "output")]
        camera: Option<String>,
        /// Where its table is written
        #[arg(short, long, requires = "camera")]
        output: Option<PathBuf>,
        /// The table before; the built-in one where absent
        #[arg(long)]
        before: Option<PathBuf>,
        /// Take what missions of admitted vehicles expect for the truth, beside what people corrected
        #[arg(long)]
        expected: bool,
    },
    /// How far told probabilities keep their word, for each lane and device
    Reliability {
        /// The journal
        db: PathBuf,
        /// As above
        #[arg(long)]
        expected: bool,
    },
    /// Take recorded decisions again; exit status 1 where one does not come out byte for byte as recorded
    Replay {
        /// The journal
        db: PathBuf,
        /// Only this pass, LANE:NUMBER
        #[arg(long)]
        pass: Option<String>,
        /// Decide by the rule files of this folder instead, and tell the differences
        #[arg(long)]
        rules: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum JournalVerb {
    /// Recompute the chain and check every signed head; exit status 1 names what is wrong, with its position
    Verify {
        /// The journal
        db: PathBuf,
        /// The gate's key or a file with it; otherwise identity/journal-key.pub beside the journal
        #[arg(long)]
        key: Option<String>,
    },
    /// Write entries as JSON lines
    Export {
        /// The journal
        db: PathBuf,
        /// First entry
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// Last entry
        #[arg(long, default_value_t = u64::MAX)]
        to: u64,
    },
}

#[derive(Subcommand)]
enum EvidenceVerb {
    /// Write the proof of one pass, for varco-verify
    Export {
        /// LANE:NUMBER
        #[arg(long)]
        pass: String,
        /// The file
        #[arg(short, long)]
        output: PathBuf,
        /// The journal; its pictures lie beside it
        #[arg(long, default_value = "journal.db")]
        journal: PathBuf,
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
        Verb::Device(verb) => {
            let work = async { verbs::device(&verb, &mut std::io::stdout().lock()).await };
            ended(runtime().and_then(|runtime| runtime.block_on(work)))
        }
        Verb::Journal(JournalVerb::Verify { db, key }) => {
            ended(verbs::verify_journal(&db, key.as_deref(), &mut std::io::stdout().lock()))
        }
        Verb::Journal(JournalVerb::Export { db, from, to }) => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            ended(verbs::export_journal(&db, from, to, &mut out).map(|()| true))
        }
        Verb::Confusions { db, camera, output, before, expected } => {
            let camera = camera.as_deref().zip(output.as_deref());
            let mut out = std::io::stdout().lock();
            ended(verbs::confusions(&db, camera, before.as_deref(), expected, &mut out))
        }
        Verb::Reliability { db, expected } => {
            ended(verbs::reliability(&db, expected, &mut std::io::stdout().lock()))
        }
        Verb::Replay { db, pass, rules } => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            ended(verbs::replay(&db, pass.as_deref(), rules.as_deref(), &mut out))
        }
        Verb::Evidence(EvidenceVerb::Export { pass, output, journal }) => {
            ended(verbs::export_evidence(&journal, &pass, &output).map(|told| {
                println!("{told}");
                true
            }))
        }
    }
}

/// True: nothing is wrong. False: the answer is no, and was told.
fn ended(result: anyhow::Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("varco-gate: {error:#}");
            ExitCode::from(EX_IOERR)
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
