//! The simulator's command line.

use clap::{Parser, Subcommand};
use std::path::PathBuf;

/// A port with ground truth whose devices speak the real wires.
#[derive(Debug, Parser)]
#[command(name = "varco-sim", version)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes synthetic camera pictures with their true texts (`truth.csv`).
    Render {
        /// The same seed gives the same pictures.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many pictures.
        #[arg(long, default_value_t = 30)]
        count: usize,
        /// Folder, made where missing.
        #[arg(long)]
        out: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Render { seed, count, out } => {
            sim::render::write_samples(seed, count, &out)?;
            println!("seed {seed}: {count} pictures and truth.csv in {}", out.display());
            Ok(())
        }
    }
}
