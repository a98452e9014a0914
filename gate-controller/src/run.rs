//! `run`: starts everything of one node, waits for the end, and ends in order.

use crate::board::{Board, NodeFault};
use crate::central::Central;
use crate::console::{self, Console};
use crate::identity::{Identity, IdentityFolder, create_private_dir};
use crate::lane_loop::{self, LaneParts};
use crate::ledger::Ledger;
use crate::metrics::Meter;
use crate::once::Once;
use crate::permits::SheetRoom;
use crate::pictures::Pictures;
use crate::remote::Remote;
use crate::signs::SignTexts;
use crate::verbs::IMAGES;
use crate::{heads, journal_key, mqtt, outbox, permits, push, upkeep, wiring};
use anyhow::{Context as _, Result, bail};
use config::Loaded;
use device::Clock;
use gate_core::{Lane, LaneSpec, RestoredPass};
use gate_types::entry::{Entry, EntryBody};
use gate_types::fault::{Fault, FaultKind};
use gate_types::head::HeadSigner;
use gate_types::{LaneId, Stamp};
use journal::{Finding, Journal, JournalError, Opened, Options, Sink};
use lpr_ocr::FrameStore;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

/// The journal's file in the state directory.
pub const JOURNAL_FILE: &str = "journal.db";
/// Commands that were done.
const COMMANDS_FILE: &str = "commands.json";
/// How long lanes may take to end, milliseconds.
const LANES_END_MS: u64 = 5_000;
/// How long the last events may take to central at a stop, milliseconds.
const LAST_EVENTS_MS: u64 = 2_000;
/// How long a start waits for the lock of the state directory, milliseconds.
const LOCK_MS: u64 = 1_000;
/// Operator acts that may wait for a lane.
const OPERATOR: usize = 4;

/// How the daemon ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The journal cannot be written; nothing moves without a record.
    #[error("{0}; arm and lamps stay as they are; the daemon must be started again")]
    Journal(#[from] JournalError),
    /// A task of the daemon panicked.
    #[error("{name} ended unexpectedly: {why}; this is a defect, please report it with the log")]
    Task {
        /// The task.
        name: String,
        /// The panic or the reason.
        why: String,
    },
}

/// The daemon's tasks by name.
#[derive(Default)]
struct Tasks {
    set: JoinSet<Result<(), JournalError>>,
    names: HashMap<Id, String>,
}

impl Tasks {
    fn add(&mut self, name: String, task: impl Future<Output = Result<(), JournalError>> + Send + 'static) {
        let handle = self.set.spawn(task);
        self.names.insert(handle.id(), name);
    }
    /// The next task that ends. Drivers end when their lane does; that is no failure.
    async fn next(&mut self) -> Option<(String, Result<(), Failure>)> {
        let (id, result) = match self.set.join_next_with_id().await? {
            Ok((id, Ok(()))) => (id, Ok(())),
            Ok((id, Err(error))) => (id, Err(Failure::Journal(error))),
            Err(error) => {
                let name = self.names.get(&error.id()).cloned().unwrap_or_default();
                (error.id(), Err(Failure::Task { name, why: error.to_string() }))
            }
        };
        Some((self.names.remove(&id).unwrap_or_default(), result))
    }
}

impl wiring::Spawn for Tasks {
    fn spawn(&mut self, name: String, task: impl Future<Output = ()> + Send + 'static) {
        self.add(name, async move {
            task.await;
            Ok(())
        });
    }
}

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
    for (plan, view) in plans.into_iter().zip(views) {
        let id = plan.config().id.clone();
        let spec = plan.spec(&loaded, processes.clone(), &opened);
        ledger.append(vec![rules_loaded(&spec, clock.now())]).await?;
        let (operator, acts) = mpsc::channel(OPERATOR);
        operators.insert(id.clone(), operator);
        let mut links = plan.start(clock, frames.clone(), &mut tasks);
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

/// The first task that failed; a lane or service that ends without being told has failed too.
async fn first_failure(lanes: &mut Tasks, tasks: &mut Tasks) -> Failure {
    loop {
        let ((name, result), is_driver) = tokio::select! {
            Some(ended) = lanes.next() => (ended, false),
            Some(ended) = tasks.next() => {
                let is_driver = ended.0.starts_with("device ");
                (ended, is_driver)
            }
            else => return Failure::Task { name: "all tasks".into(), why: "nothing is left to run".into() },
        };
        match result {
            Err(failure) => return failure,
            // A driver ends when its lane is gone; the lane's own end tells why.
            Ok(()) if is_driver => {}
            Ok(()) => return Failure::Task { name, why: "it ended without being told".into() },
        }
    }
}

/// The end in order: lanes finish what they are at, the stop goes on record, the last events go out.
async fn finish(
    lanes: &mut Tasks,
    ledger: &Ledger,
    broker: Option<&mqtt::BrokerClient>,
    board: &Board,
) -> Result<(), Failure> {
    let all = async {
        let mut first = Ok(());
        while let Some((_, result)) = lanes.next().await {
            if first.is_ok() {
                first = result;
            }
        }
        first
    };
    match timeout(Duration::from_millis(LANES_END_MS), all).await {
        Ok(result) => result?,
        Err(_) => tracing::warn!("lanes did not end within {LANES_END_MS} ms"),
    }
    ledger.append_node(EntryBody::DaemonStopped {}).await?;
    if board.faults().iter().all(|f| f.kind != FaultKind::CentralDown) {
        let drained = async {
            while matches!(ledger.unsent(Sink::Central, 1).await, Ok(events) if !events.is_empty()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(Duration::from_millis(LAST_EVENTS_MS), drained).await.is_err() {
            tracing::info!("the last events go to central at the next start");
        }
    }
    if let Some(broker) = broker {
        broker.farewell().await;
    }
    Ok(())
}

/// A failure goes on record where there still is a record.
async fn on_record(failure: &Failure, ledger: &Ledger, board: &Board) {
    match failure {
        Failure::Journal(error) => {
            let text = error.to_string();
            board.raise(Fault { kind: FaultKind::JournalDown, device: "journal".into(), text });
        }
        Failure::Task { name, why } => {
            let fault = Fault {
                kind: FaultKind::DeviceDown,
                device: name.clone(),
                text: format!("the task ended unexpectedly and the daemon stops: {why}"),
            };
            if let Err(error) = ledger.append_node(EntryBody::FaultRaised { fault }).await {
                tracing::error!(%error, "the failure is not on record");
            }
        }
    }
}

/// The rules of a lane, complete: a decision can be taken again from the journal alone.
fn rules_loaded(spec: &LaneSpec, at: Stamp) -> Entry {
    let body = EntryBody::RulesLoaded { rules: Box::new(spec.rules()) };
    Entry { lane: Some(spec.lane.clone()), pass: None, at, body }
}

/// What is wrong with the journal goes on record and on the board, with its position.
async fn report(findings: &[Finding], lost: &NodeFault, broken: &NodeFault) -> Result<(), JournalError> {
    // That a file was begun anew was told when it was.
    let news = findings.iter().filter(|f| !matches!(f, Finding::BeginsAnew { .. }));
    let (tail, rest): (Vec<_>, Vec<_>) = news.partition(|f| matches!(f, Finding::TailLost { .. }));
    if let Some(finding) = tail.first() {
        lost.raise(heads::told(finding)).await?;
    }
    if !rest.is_empty() {
        let told: Vec<String> = rest.iter().take(5).map(ToString::to_string).collect();
        let text = format!(
            "{}; {} findings in all; run `varco-gate journal verify` and compare with central",
            told.join("; "),
            rest.len()
        );
        broken.raise(text).await?;
    }
    Ok(())
}

/// The pass of a lane that was open at the last stop.
fn restored(opened: &Opened, lane: &LaneId) -> Option<RestoredPass> {
    let newest =
        opened.open_passes.iter().filter(|(pass, _)| pass.lane == *lane).max_by_key(|(pass, _)| pass.number);
    newest.map(|(pass, entries)| RestoredPass { pass: pass.clone(), entries: entries.clone() })
}

/// SHA-256 over the configuration as loaded, all files, independent of comments and order.
fn config_sha256(loaded: &Loaded) -> Result<String> {
    let json = serde_json::to_vec(&(&loaded.site, &loaded.node, &loaded.rules.0))
        .context("configuration as JSON")?;
    Ok(hex::encode(Sha256::digest(json)))
}

/// One daemon for one state directory. A daemon that was killed while it started a worker leaves the lock to
/// that worker's process until it runs its own program: a moment later it is free.
async fn lock(state_dir: &Path) -> Result<std::fs::File> {
    let path = state_dir.join("lock");
    let file =
        std::fs::File::create(&path).with_context(|| format!("{}: cannot be created", path.display()))?;
    let locked = async {
        while file.try_lock().is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if timeout(Duration::from_millis(LOCK_MS), locked).await.is_err() {
        bail!("{}: another varco-gate runs on this state_dir; stop it first", path.display());
    }
    Ok(file)
}

/// Written beside and renamed, so that a reader sees it whole or not at all.
fn write_ready(file: &Path, console: &str, push: Option<&str>) -> Result<()> {
    let what = || format!("{}: ready file cannot be written", file.display());
    let beside = file.with_extension("new");
    let told = serde_json::json!({ "console": console, "push": push });
    std::fs::write(&beside, told.to_string()).with_context(what)?;
    std::fs::rename(&beside, file).with_context(what)
}
