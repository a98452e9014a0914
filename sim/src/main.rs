//! The simulator's command line.

use clap::{Parser, Subcommand};
use sim::demo::Options;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

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
    /// Serves one device alone, until Ctrl-C.
    #[command(subcommand)]
    Device(sim::device::DeviceFace),
    /// Starts central, the gates of a site and their devices, and lets trucks come.
    Demo {
        /// How long trucks come (`60s`, `5m`); until Ctrl-C where absent.
        #[arg(long = "for", value_parser = duration)]
        for_time: Option<Duration>,
        /// Without the live page.
        #[arg(long)]
        headless: bool,
        /// Where the summary is written (JSON); standard output where absent.
        #[arg(long)]
        summary: Option<PathBuf>,
        /// Seed of everything random.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// The site's folder.
        #[arg(long, default_value = "config/sites/bari")]
        site: PathBuf,
        /// Trucks in the port at most.
        #[arg(long, default_value_t = 34)]
        trucks: usize,
        /// Keep the run folder with logs and state.
        #[arg(long)]
        keep: bool,
    },
}

fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().map_err(|_| format!("`{text}`: expected a time such as 60s or 5m"))?;
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        other => return Err(format!("`{other}`: the unit is s, m or h")),
    };
    if number == 0 || number > 1_000_000 {
        return Err(format!("`{text}`: 1 s to 1000000 s"));
    }
    Ok(Duration::from_secs(number * factor))
}

fn main() -> anyhow::Result<ExitCode> {
    match Args::parse().command {
        Command::Render { seed, count, out } => {
            sim::render::write_samples(seed, count, &out)?;
            println!("seed {seed}: {count} pictures and truth.csv in {}", out.display());
            Ok(ExitCode::SUCCESS)
        }
        Command::Device(face) => {
            let filter =
                EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,sim=info"));
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let served = runtime.block_on(sim::device::serve(face));
            // The thread that reads the keys waits for a line that nobody types any more.
            runtime.shutdown_timeout(Duration::from_millis(200));
            served.map(|()| ExitCode::SUCCESS)
        }
        Command::Demo { for_time, headless, summary, seed, site, trucks, keep } => {
            let filter = EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| EnvFilter::new("warn,sim=info,rumqttd=off"));
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
            if rustls::crypto::ring::default_provider().install_default().is_err() {
                anyhow::bail!("another TLS provider is installed already");
            }
            // Two workers: the machine's cores belong to the programs under test.
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let options =
                Options { for_time, headless, summary, seed, site, trucks: trucks.clamp(1, 400), keep };
            let agrees = runtime.block_on(sim::demo::run(options))?;
            runtime.shutdown_timeout(Duration::from_millis(200));
            Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}
