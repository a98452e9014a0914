//! One demo from start to end.

use super::children::{Children, program};
use super::folder::{self, Plant, Surroundings};
use super::hub::{Gate, Hub};
use super::judge::{Records, judge};
use super::people::{self, Central, SharedPort, lock};
use super::summary::Summary;
use crate::faces::broker;
use crate::page;
use crate::world::port::{Errand, Liveliness, Port, TIME_SCALE};
use anyhow::{Context as _, bail};
use gate_types::Wall;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::{mpsc, watch};

/// What the command line says.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long trucks come; none: until Ctrl-C.
    pub for_time: Option<Duration>,
    /// No page.
    pub headless: bool,
    /// Where the summary goes; none: standard output.
    pub summary: Option<PathBuf>,
    /// Seed of everything random.
    pub seed: u64,
    /// The site's folder.
    pub site: PathBuf,
    /// Trucks in the port at most.
    pub trucks: usize,
    /// Keep the run folder.
    pub keep: bool,
}

/// Physics steps this often.
const TICK: Duration = Duration::from_millis(25);
/// Longest wait for all lanes to be ready.
const READY: Duration = Duration::from_secs(120);

/// Runs the demo; the answer tells whether world and records agree.
pub async fn run(options: Options) -> anyhow::Result<bool> {
    let folder = tempfile::Builder::new().prefix("varco-demo-").tempdir().context("a folder for the run")?;
    println!("seed {}; run folder {}", options.seed, folder.path().display());
    let mut children = Children::new(&folder.path().join("logs"))?;
    let result = tokio::select! {
        result = stages(&options, folder.path(), &mut children) => result,
        () = stopped() => {
            println!("stopping");
            Ok(true)
        }
    };
    children.stop().await;
    let failed = !matches!(result, Ok(true));
    if failed || options.keep {
        println!("logs and state are kept in {}", folder.keep().display());
    }
    result
}

async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            if interrupt.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

async fn stages(options: &Options, run: &Path, children: &mut Children) -> anyhow::Result<bool> {
    let plant = folder::read(&options.site)?;
    let nodes: Vec<_> = plant.nodes.iter().map(|(_, n)| n.clone()).collect();
    let lively = Liveliness { trucks: options.trucks, spawn_every_s: 0.8 };
    let port: SharedPort = Arc::new(Mutex::new(Port::new(&plant.site, &nodes, options.seed, lively)));
    let bays = lock(&port).bays();
    println!("devices: {} lanes", bays.len());
    let endpoints = folder::start_faces(&plant, &bays).await?;
    let broker = broker::start()?;
    let copied = folder::copy(&options.site, run)?;
    let http = reqwest::Client::builder().build().context("an HTTP client")?;
    let central_ready = start_central(run, &copied, children).await?;
    let text = |key: &str| {
        central_ready.get(key).and_then(Value::as_str).map(str::to_owned).context("central's ready file")
    };
    let token_file = run.join("central").join("admin-token");
    let token = std::fs::read_to_string(&token_file).with_context(|| token_file.display().to_string())?;
    let central = Central::new(http.clone(), &text("listen")?, &token);
    let url = format!("https://{}", text("gate_listen")?);
    let surroundings =
        |state_dir: PathBuf| Surroundings { central: &url, broker, endpoints: &endpoints, state_dir };
    let gates = start_gates(run, &copied, &plant, &central, children, &surroundings).await?;
    let hub = Hub { site: plant.site.clone(), seed: options.seed, port: port.clone(), gates, central, http };
    wait_ready(&hub, children).await?;
    populate(&hub, options).await?;
    let (errands, receiver) = mpsc::channel(256);
    tokio::spawn(people::run_errands(hub.central.clone(), port.clone(), options.seed, receiver));
    let (world_stop, world_stopped) = watch::channel(false);
    let world = tokio::spawn(tick(port.clone(), errands, world_stopped));
    if !options.headless {
        let address = page::start(hub.clone()).await?;
        println!("\n  the live page:  http://{address}/\n");
    }
    let started = Instant::now();
    println!(
        "all is ready; trucks are coming{}",
        if options.for_time.is_none() { " (Ctrl-C stops)" } else { "" }
    );
    watch_over(&hub, children, options.for_time, started).await?;
    let seconds = started.elapsed().as_secs_f64();
    drain(&hub).await?;
    let records = collect(&hub).await?;
    let truth = lock(&port).ledger.clone();
    if world_stop.send(true).is_ok() {
        world.await.context("the world's task")?;
    }
    let summary = judge(&truth, &records, options.seed, (seconds * 10.0).round() / 10.0);
    write(&summary, options, run, &truth)?;
    Ok(agrees(&summary))
}

/// The demands of the exit status.
fn agrees(s: &Summary) -> bool {
    s.passes.lost == 0
        && s.arms.unexplained == 0
        && s.wrong_identity == 0
        && s.events.lost == 0
        && s.events.duplicated == 0
        && s.disagreements.is_empty()
}

async fn start_central(run: &Path, copied: &Path, children: &mut Children) -> anyhow::Result<Value> {
    let state = run.join("central");
    std::fs::create_dir_all(&state)?;
    let ready = state.join("ready.json");
    let args: Vec<String> = [
        "serve".to_owned(),
        "--listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--gate-listen".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--database".to_owned(),
        format!("sqlite:{}", state.join("central.sqlite").display()),
        "--config".to_owned(),
        copied.join("site.toml").display().to_string(),
        "--drive-factor".to_owned(),
        TIME_SCALE.to_string(),
        "--ready-file".to_owned(),
        ready.display().to_string(),
    ]
    .into();
    println!("central starts");
    children.start("central", &program("varco-central")?, &args)?;
    children.ready(&ready, Duration::from_secs(30)).await
}

async fn start_gates<'a>(
    run: &Path,
    copied: &Path,
    plant: &Plant,
    central: &Central,
    children: &mut Children,
    surroundings: &impl Fn(PathBuf) -> Surroundings<'a>,
) -> anyhow::Result<Vec<Gate>> {
    let gate = program("varco-gate")?;
    let mut started = Vec::new();
    for (file, node) in &plant.nodes {
        let name = file.file_name().context("a node file without a name")?;
        let config = copied.join("nodes").join(name);
        let state = run.join("gates").join(node.node.as_str());
        std::fs::create_dir_all(&state)?;
        folder::rewrite(&config, &surroundings(state.clone()))?;
        let config = config.display().to_string();
        let label = format!("gate-{}", node.node);
        let token = central.token(&node.node).await?;
        let enrol = ["enrol", "--config", &config, "--token", &token].map(str::to_owned);
        children.finish(&label, &gate, &enrol).await?;
        let ready = state.join("ready.json");
        let args =
            ["run", "--config", &config, "--ready-file", &ready.display().to_string()].map(str::to_owned);
        children.start(&label, &gate, &args)?;
        started.push((node, ready));
    }
    println!("{} gates enrolled and starting", started.len());
    let mut gates = Vec::new();
    for (node, ready) in started {
        let answer = children.ready(&ready, Duration::from_secs(60)).await?;
        let console = answer.get("console").and_then(Value::as_str).context("a gate's ready file")?;
        let cameras = node.lanes.iter().flat_map(|l| l.cameras.iter().map(|c| c.id.to_string())).collect();
        gates.push(Gate { node: node.node.clone(), base: format!("http://{console}"), cameras });
    }
    Ok(gates)
}

async fn wait_ready(hub: &Hub, children: &mut Children) -> anyhow::Result<()> {
    println!("waiting for cameras, readers, scales and arms");
    let deadline = Instant::now() + READY;
    let mut told = Instant::now();
    loop {
        children.check()?;
        let waits = hub.unready().await;
        if waits.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            bail!("not ready within {} s: {}", READY.as_secs(), waits.join("; "));
        }
        if told.elapsed() > Duration::from_secs(5) {
            told = Instant::now();
            println!("  {} to go, such as: {}", waits.len(), waits[0]);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn populate(hub: &Hub, options: &Options) -> anyhow::Result<()> {
    let errands = lock(&hub.port).populate(options.trucks * 3 / 4);
    println!("announcing {} trucks that are under way", errands.len());
    for errand in errands {
        people::run(&hub.central, &hub.port, options.seed, errand).await?;
    }
    Ok(())
}

/// Wall clock, milliseconds since 1970.
fn wall() -> Wall {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Wall(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

async fn tick(port: SharedPort, errands: mpsc::Sender<Errand>, stop: watch::Receiver<bool>) {
    let mut every = tokio::time::interval(TICK);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut last = Instant::now();
    while !*stop.borrow() {
        every.tick().await;
        let dt = last.elapsed().as_secs_f64().min(0.1);
        last = Instant::now();
        let out = lock(&port).tick(dt, wall().0);
        for errand in out {
            if errands.send(errand).await.is_err() {
                return;
            }
        }
    }
}

async fn watch_over(
    hub: &Hub,
    children: &mut Children,
    limit: Option<Duration>,
    started: Instant,
) -> anyhow::Result<()> {
    let mut told = Instant::now();
    loop {
        children.check()?;
        if limit.is_some_and(|l| started.elapsed() >= l) {
            return Ok(());
        }
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let port = lock(&hub.port);
            let done = port.ledger.visits.iter().filter(|v| v.ending.is_some()).count();
            let (trucks, finished) = (port.trucks.len(), port.ledger.finished.values().sum::<u64>());
            println!(
                "{:4} s: {done} visits, {finished} missions done, {trucks} trucks",
                started.elapsed().as_secs()
            );
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// No new trucks; those in lanes finish; then the records arrive at central.
async fn drain(hub: &Hub) -> anyhow::Result<()> {
    println!("no more trucks; lanes empty themselves");
    lock(&hub.port).close();
    let deadline = Instant::now() + Duration::from_secs(25);
    while !lock(&hub.port).is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut calm = 0;
    while calm < 2 && Instant::now() < deadline {
        calm = if hub.settled().await? { calm + 1 } else { 0 };
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

async fn collect(hub: &Hub) -> anyhow::Result<Records> {
    let mut metrics = Vec::new();
    for gate in &hub.gates {
        metrics.push((gate.node.to_string(), hub.metrics(gate).await?));
    }
    Ok(Records {
        events: hub.central.events().await?,
        missions: hub.central.missions().await?,
        alarms: hub.central.alarms().await?,
        counts: hub.central.counts().await?,
        metrics,
    })
}

fn write(
    summary: &Summary,
    options: &Options,
    run: &Path,
    truth: &impl serde::Serialize,
) -> anyhow::Result<()> {
    std::fs::write(run.join("truth.json"), serde_json::to_vec(truth)?)?;
    let json = serde_json::to_string_pretty(summary)?;
    match &options.summary {
        Some(file) => {
            std::fs::write(file, &json).with_context(|| format!("{}: cannot be written", file.display()))?;
            println!(
                "{} passes, {} missions, {} lost, {} unexplained; summary in {}",
                summary.passes.completed,
                summary.missions.completed,
                summary.passes.lost,
                summary.arms.unexplained,
                file.display()
            );
        }
        None => println!("{json}"),
    }
    for line in &summary.disagreements {
        println!("disagreement: {line}");
    }
    Ok(())
}
