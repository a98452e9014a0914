//! `run`: starts everything of one node, waits for the end, and ends in order.

mod end;
mod start;
mod tasks;

use crate::board::{Board, NodeFault};
use crate::central::Central;
use crate::console::{self, Console};
use crate::identity::{Identity, IdentityFolder, create_private_dir};
use crate::lane_loop::{self, LaneParts};
use crate::ledger::Ledger;
use crate::metrics::Meter;
use crate::once::Once;
use crate::passes::PassDesk;
use crate::permits::SheetRoom;
use crate::pictures::Pictures;
use crate::remote::Remote;
use crate::signs::SignTexts;
use crate::verbs::IMAGES;
use crate::{heads, journal_key, mqtt, outbox, permits, push, upkeep, wiring};
use anyhow::{Context as _, Result};
use barcode::Issuer;
use config::Loaded;
use device::Clock;
use end::{finish, first_failure, on_record};
use gate_core::Lane;
use gate_types::entry::EntryBody;
use gate_types::fault::FaultKind;
use gate_types::head::HeadSigner;
use journal::{Journal, Options, Sink};
use lpr_ocr::FrameStore;
use start::{config_sha256, lock, report, restored, rules_loaded, write_ready};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tasks::Tasks;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

pub use tasks::Failure;

/// The journal's file in the state directory.
pub const JOURNAL_FILE: &str = "journal.db";
/// Commands that were done.
const COMMANDS_FILE: &str = "commands.json";
/// Gate passes that were shown.
const PASSES_FILE: &str = "gate-passes.json";
/// Operator acts that may wait for a lane.
const OPERATOR: usize = 4;

/// Runs the node until SIGTERM or Ctrl-C (`Ok`), or until it cannot go on.
pub async fn run(loaded: Loaded, ready_file: Option<&Path>) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let state_dir = loaded.node.state_dir.clone();
    create_private_dir(&state_dir)?;
    let _lock = lock(&state_dir).await?;
    let plans = wiring::plan(&loaded).map_err(|problems| anyhow::anyhow!(problems.join("\n")))?;
    let identity = Identity::load(&IdentityFolder::of(&state_dir))?;
    let central = Central::new(&loaded.node.central, &identity)?;
    let release_key = identity.release_key;
    let signs = Arc::new(SignTexts::of(&loaded.site).context("signs.toml")?);
    let listener = console::bind(&loaded.node.console.listen).await?;
    let console_address = listener.local_addr().context("console address")?;
    let token = console::token(&state_dir)?;

    let clock = Clock::start();
    // Without a broker nothing waits for one.
    let receivers: &[Sink] =
        if loaded.node.mqtt.is_some() { &[Sink::Central, Sink::Broker] } else { &[Sink::Central] };
    let (port, node) = (loaded.site.port.clone(), loaded.node.node.clone());
    let kept = loaded.node.journal.clone();
    let signer = HeadSigner::new(port.clone(), node.clone(), journal_key::signing_key(&state_dir)?);
    let options = Options {
        receivers: receivers.to_vec(),
        signer: Some(signer),
        seen: heads::seen(&central, &port, &node).await,
        reserve_bytes: kept.reserve_mb << 20,
    };
    let (journal, opened) = Journal::open_with(&state_dir.join(JOURNAL_FILE), options)?;
    let frames = FrameStore::default();
    let pictures = Pictures::start(&state_dir.join(IMAGES), kept.pictures_mb << 20, frames.clone())
        .with_context(|| format!("{}: pictures", state_dir.join(IMAGES).display()))?;
    let ledger = Ledger::new(journal, clock, Arc::new(Meter::default())).with_pictures(pictures.clone());
    let started = EntryBody::DaemonStarted {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_sha256: config_sha256(&loaded)?,
    };
    ledger.append_node(started).await?;

    let (stop, stopping) = watch::channel(false);
    let processes = Arc::new(loaded.site.processes.clone());
    let (board, views) = Board::new(plans.iter().map(|p| p.config().id.clone()));
    let mut tasks = Tasks::default();
    let mut lanes = Tasks::default();
    let mut operators = HashMap::new();
    let mut sign_ways = HashMap::new();
    let mut pushing = Vec::new();
    let sheets = SheetRoom::empty();
    let issuer = Issuer { key: release_key, port: port.clone(), node: node.clone() };
    let passes = PassDesk::open(state_dir.join(PASSES_FILE), issuer)?;
    for (plan, view) in plans.into_iter().zip(views) {
        let id = plan.config().id.clone();
        let spec = plan.spec(&loaded, processes.clone(), &opened);
        ledger.append(vec![rules_loaded(&spec, clock.now())]).await?;
        let (operator, acts) = mpsc::channel(OPERATOR);
        operators.insert(id.clone(), operator);
        let mut links = plan.start(clock, frames.clone(), &passes, &mut tasks);
        pushing.append(&mut links.pushing);
        if let Some((sign, room)) = &links.sign {
            sign_ways.insert(id.clone(), (sign.downgrade(), *room));
        }
        let parts = LaneParts {
            lane: Lane::new(spec, restored(&opened, &id)),
            clock,
            links,
            ledger: ledger.clone(),
            central: central.clone(),
            signs: signs.clone(),
            view,
            operator: acts,
            permits: sheets.clone(),
            passes: passes.clone(),
        };
        lanes.add(format!("lane {id}"), lane_loop::run(parts, stopping.clone()));
    }
    let broken = NodeFault::new(board.clone(), ledger.clone(), FaultKind::JournalBroken, "journal");
    let lost = NodeFault::new(board.clone(), ledger.clone(), FaultKind::JournalTailLost, "journal");
    report(&opened.findings, &lost, &broken).await?;
    drop(opened);
    if loaded.site.permits_valid_s.is_some() {
        let fetch =
            permits::fetch(sheets, central.clone(), ledger.clone(), clock, port.clone(), node.clone());
        tasks.add("permits".to_owned(), fetch);
    }
    let mut history = ledger.journal().history();
    tasks.add("journal history".to_owned(), async move {
        let found = match history.wait_for(Option::is_some).await {
            Ok(found) => found.clone(),
            Err(_) => None,
        };
        if let Some(audit) = found {
            report(&audit.findings, &broken, &broken).await?;
        }
        std::future::pending().await
    });
    if let Some(signed) = ledger.journal().heads() {
        let way = heads::deliver(ledger.clone(), central.clone(), port.clone(), node.clone(), signed, lost);
        tasks.add("heads to central".to_owned(), way);
    }
    let disk_low = NodeFault::new(board.clone(), ledger.clone(), FaultKind::DiskLow, "journal");
    let upkeep = upkeep::keep(ledger.clone(), pictures, state_dir.clone(), kept, disk_low);
    tasks.add("journal upkeep".to_owned(), upkeep);
    let central_down = NodeFault::new(board.clone(), ledger.clone(), FaultKind::CentralDown, "central");
    tasks.add(
        "delivery to central".to_owned(),
        outbox::deliver(ledger.clone(), central, port.clone(), node.clone(), central_down),
    );
    let operators = Arc::new(operators);
    let broker = match &loaded.node.mqtt {
        None => None,
        Some(config) => {
            let (broker, events) = mqtt::BrokerClient::new(config, &port, &node)?;
            let down = NodeFault::new(board.clone(), ledger.clone(), FaultKind::BrokerDown, "broker");
            let (connected, is_connected) = watch::channel(false);
            tasks.add("mqtt connection".to_owned(), mqtt::drive(events, broker.clone(), down, connected));
            tasks.add(
                "mqtt publication".to_owned(),
                mqtt::publish(ledger.clone(), broker.clone(), port.clone(), node.clone(), is_connected),
            );
            if config.commands {
                let remote = Remote {
                    port: port.clone(),
                    node: node.clone(),
                    key: release_key,
                    operators: operators.clone(),
                    signs: sign_ways,
                    board: board.clone(),
                    ledger: ledger.clone(),
                    done: Once::open(state_dir.join(COMMANDS_FILE))?,
                };
                let line = mqtt::commands::CommandLine::new(config, &port, &node)?;
                tasks.add("mqtt commands".to_owned(), mqtt::commands::serve(line, remote));
            }
            Some(broker)
        }
    };
    let console = Console {
        port,
        node: loaded.site.node(&node).cloned(),
        node_id: node,
        board: board.clone(),
        frames,
        ledger: ledger.clone(),
        operators,
        token: Arc::new(token),
    };
    wiring::Spawn::spawn(&mut tasks, "console".to_owned(), console::serve(listener, console));
    let mut push_address = None;
    if let Some(config) = &loaded.node.push {
        let bound = tokio::net::TcpListener::bind(&config.listen).await;
        let listener = bound.with_context(|| format!("push.listen `{}`: cannot be bound", config.listen))?;
        push_address = Some(listener.local_addr().context("push address")?.to_string());
        let served = push::serve(listener, std::mem::take(&mut pushing), clock);
        wiring::Spawn::spawn(&mut tasks, "push cameras".to_owned(), async move {
            if let Err(error) = served.await {
                tracing::error!(%error, "the listener of pushing cameras ended");
            }
        });
    }
    anyhow::ensure!(
        pushing.is_empty(),
        "a camera pushes and the node file has no [push]: write listen there"
    );
    if let Some(file) = ready_file {
        write_ready(file, &console_address.to_string(), push_address.as_deref())?;
    }
    tracing::info!(node = %loaded.node.node, console = %format!("http://{console_address}/"), "running");

    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        failed = first_failure(&mut lanes, &mut tasks) => Err(failed),
    };
    stop.send_replace(true);
    match ended {
        Ok(()) => {
            finish(&mut lanes, &ledger, broker.as_ref(), &board).await?;
            tracing::info!("stopped");
            Ok(())
        }
        Err(failure) => {
            tracing::error!(%failure, "the daemon cannot go on");
            on_record(&failure, &ledger, &board).await;
            Err(failure.into())
        }
    }
}
