//! `varco-central`: see `varco-central --help`.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

/// `EX_CONFIG` of sysexits.h.
const CONFIG_PROBLEM: u8 = 78;

#[derive(Parser)]
#[command(
    name = "varco-central",
    version,
    about = "Customs side of the port: identifiers, missions, releases, alarms"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves people, integrators and gates until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Writes everything that a database holds into one file, while central goes on serving it. The keys
    /// in the state folder are not in it: keep a copy of that folder apart, for whoever may hold them.
    Backup(Copy),
    /// Fills an empty database, of either kind, from a backup; all of it or nothing.
    Restore(Restore),
}

#[derive(clap::Args)]
struct Copy {
    /// As for `serve`.
    #[arg(long)]
    database: String,
    /// The file to be written.
    #[arg(long, short)]
    output: PathBuf,
}

#[derive(clap::Args)]
struct Restore {
    /// As for `serve`.
    #[arg(long)]
    database: String,
    /// The file that `backup` wrote.
    #[arg(long, short)]
    input: PathBuf,
}

#[derive(clap::Args)]
struct Serve {
    /// Address for people and integrators (HTTP); port 0 picks a free one.
    #[arg(long)]
    listen: SocketAddr,
    /// Address for gates (TLS); port 0 picks a free one.
    #[arg(long)]
    gate_listen: SocketAddr,
    /// `sqlite:PATH`, or `postgres://USER@HOST/NAME` (with `?sslrootcert=FILE` unless it is on this machine).
    #[arg(long)]
    database: String,
    /// Folder of the keys and of the administrator's token; unless told, the SQLite file's own, or
    /// `$STATE_DIRECTORY`, or `varco-central` here. Several processes on one database share its content.
    #[arg(long)]
    state: Option<PathBuf>,
    /// Serve a database that was served with other keys before; every gate has to be enrolled anew.
    #[arg(long)]
    new_keys: bool,
    /// The site file.
    #[arg(long)]
    config: PathBuf,
    /// Driving times are the site file's times this: a demonstration drives faster than a port.
    #[arg(long, default_value_t = 1.0)]
    drive_factor: f64,
    /// A further DNS name or IP address by which gates reach central; may be repeated.
    #[arg(long = "name")]
    names: Vec<String>,
    /// Written as JSON once central serves: `{"listen":"IP:PORT","gate_listen":"IP:PORT"}`.
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .init();
    // An error means that one is installed.
    drop(rustls::crypto::ring::default_provider().install_default());
    let serve = match Cli::parse().command {
        Command::Serve(serve) => serve,
        Command::Backup(Copy { database, output }) => {
            let saved = central::backup(&database.parse()?, &output)?;
            println!("{} rows written to {}, SHA-256 {}", saved.rows, output.display(), saved.sha256);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Restore(Restore { database, input }) => {
            let saved = central::restore(&database.parse()?, &input)?;
            println!("{} rows restored from {}, SHA-256 {}", saved.rows, input.display(), saved.sha256);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let site = match config::load_site(&serve.config) {
        Ok(site) => with_driving_times(site, serve.drive_factor)?,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(CONFIG_PROBLEM));
        }
    };
    let options = central::Options {
        listen: serve.listen,
        gate_listen: serve.gate_listen,
        database: serve.database.parse()?,
        state: serve.state,
        new_keys: serve.new_keys,
        site,
        names: serve.names,
    };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no async runtime")?;
    runtime.block_on(run(options, serve.ready_file))?;
    Ok(ExitCode::SUCCESS)
}

/// The site with its driving times times `factor`.
fn with_driving_times(mut site: config::Site, factor: f64) -> Result<config::Site> {
    anyhow::ensure!(
        factor > 0.0 && factor <= 100.0,
        "--drive-factor {factor}: more than 0 and at most 100; 1 is the site file's own time"
    );
    for road in &mut site.roads {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        let drive_s = (f64::from(road.drive_s) * factor) as u32;
        road.drive_s = drive_s;
    }
    Ok(site)
}

async fn run(options: central::Options, ready_file: Option<PathBuf>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be watched")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be watched")?;
    let serving = central::start(options).await?;
    if let Some(path) = ready_file {
        let ready = serde_json::json!({
            "listen": serving.listen.to_string(),
            "gate_listen": serving.gate_listen.to_string(),
        });
        central::write_whole(&path, &format!("{ready}\n"), 0o644)?;
    }
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
        _ = interrupt.recv() => tracing::info!("Ctrl-C: stopping"),
    }
    serving.stop().await
}
