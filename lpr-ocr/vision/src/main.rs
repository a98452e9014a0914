//! `varco-ocr`: reads plates, container codes and ADR panels from pictures and cameras.

mod align;
mod attempt;
mod capture;
mod card;
mod cli;
mod contact;
mod crop;
mod detect;
mod engine;
mod geometry;
mod line;
mod measures;
mod nets;
mod object;
mod panel;
mod picture;
mod pool;
mod read;
mod reading;
mod runner;
mod score;
mod serve;
mod tally;
mod track;
mod truth;
mod type_code;
mod watch;

use anyhow::Context as _;
use card::Models;
use clap::Parser as _;
pub(crate) use cli::ModelArgs;
use engine::{Effort, Engine};
use nets::Nets;
use std::path::PathBuf;
use std::process::ExitCode;

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
    let nets = Nets::load(models)?;
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
    let result = match cli::Cli::parse().command {
        cli::Command::Read(args) => read::run(&args),
        cli::Command::Score(args) => score::run(&args),
        cli::Command::Watch(args) => watch::run(&args),
        cli::Command::Serve(args) => serve::run(&args),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("varco-ocr: {error:#}");
            ExitCode::FAILURE
        }
    }
}
