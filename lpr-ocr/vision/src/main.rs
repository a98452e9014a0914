//! `varco-ocr`: reads plates, container codes and ADR panels from pictures and cameras.

mod align;
mod capture;
mod card;
mod crop;
mod detect;
mod engine;
mod geometry;
mod measures;
mod nets;
mod object;
mod panel;
mod picture;
mod read;
mod score;
mod serve;
mod type_code;

use anyhow::Context as _;
use card::Models;
use clap::{Args, Parser, Subcommand, ValueEnum};
use engine::{Effort, Engine};
use gate_types::observation::ReadKind;
use nets::Nets;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "varco-ocr", version, about = "Reads plates, container codes and ADR panels")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Reads picture files: one JSON object a line per file.
    Read(ReadArgs),
    /// Measures against a truth table (file,text,...,region[,type_code,layout]).
    Score(ScoreArgs),
    /// The worker of the gate's daemon: frames on stdin and stdout.
    Serve(ModelArgs),
}

/// Which models and grammars.
#[derive(Args, Clone)]
pub(crate) struct ModelArgs {
    /// A folder with models.toml in place of the built-in models (also VARCO_MODELS).
    #[arg(long)]
    models: Option<PathBuf>,
    /// Countries or groups that plates are expected from, such as it,eu.
    #[arg(long, value_delimiter = ',')]
    region: Vec<String>,
}

/// What to look for.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum KindArg {
    /// Licence plates.
    Plate,
    /// Container and ILU codes.
    Container,
    /// ADR panels.
    Adr,
    /// All of them.
    All,
}

impl KindArg {
    fn kinds(self) -> Vec<ReadKind> {
        match self {
            Self::Plate => vec![ReadKind::Plate],
            Self::Container => vec![ReadKind::Container],
            Self::Adr => vec![ReadKind::Adr],
            Self::All => vec![ReadKind::Plate, ReadKind::Container, ReadKind::Adr],
        }
    }
}

/// `read`
#[derive(Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// What to look for.
    #[arg(long, value_enum, default_value = "all")]
    kind: KindArg,
    /// JSON lines (the only form; accepted for scripts that say so).
    #[arg(long)]
    json: bool,
    /// Writes the pictures with what was read into this folder.
    #[arg(long)]
    draw: Option<PathBuf>,
    /// JPEG, PNG or BMP files.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// `score`
#[derive(Args)]
pub(crate) struct ScoreArgs {
    #[command(flatten)]
    models: ModelArgs,
    /// The truth table; files lie beside it.
    #[arg(long)]
    truth: PathBuf,
    /// A table file,text that replaces wrong truths.
    #[arg(long)]
    corrections: Option<PathBuf>,
    /// One JSON object in place of text.
    #[arg(long)]
    json: bool,
}

/// The models that the arguments (or VARCO_MODELS) name.
fn models(args: &ModelArgs) -> anyhow::Result<Models> {
    let folder = args.models.clone().or_else(|| std::env::var_os("VARCO_MODELS").map(PathBuf::from));
    let built_in = Models::built_in()?;
    match folder {
        Some(folder) => Models::from_folder(&folder, built_in),
        None => Ok(built_in),
    }
}

/// An engine for the calling thread.
fn engine_of(models: &Models, regions: &[String], effort: Effort) -> anyhow::Result<Engine> {
    let nets = Nets::load(models, effort.half)?;
    Engine::new(nets, regions, effort).context("plate grammars")
}

/// One engine; `close_ups`: for single pictures in place of a lane's camera.
fn engine(args: &ModelArgs, close_ups: bool) -> anyhow::Result<Engine> {
    let effort = if close_ups { Effort::PICTURE } else { Effort::LANE };
    engine_of(&models(args)?, &args.region, effort)
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .init();
    let result = match Cli::parse().command {
        Command::Read(args) => read::run(&args),
        Command::Score(args) => score::run(&args),
        Command::Serve(args) => serve::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("varco-ocr: {error:#}");
            ExitCode::FAILURE
        }
    }
}
