//! `varco-central` as customs and the port authority run it: it issues IOT_IDs (B5), holds missions and
//! their releases, answers the gates, takes their events once each, follows every mission node by node and
//! raises alarms where a vehicle leaves the admissible paths (B14, B41).

mod alarms_api;
mod app;
mod backup;
mod ca;
mod clock;
mod export;
mod feed;
mod gate_api;
mod heads;
mod intake;
mod listen;
mod log_api;
mod merkle;
mod mission;
mod missions;
mod people_api;
mod permits;
mod problem;
mod resolve;
mod signing;
mod state;
mod store;
mod stream;
mod validate;

pub use backup::{Saved, backup, restore};
pub use state::write_whole;
pub use store::{Address, Database, StoreError};

use anyhow::{Context, Result};
use app::App;
use axum::Router;
use ca::Authority;
use config::Site;
use listen::{Peer, PortListener};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, Tx};
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The setting that names the key of whoever served the database.
const RELEASE_KEY: &str = "release_key";
/// Connections still open this long after a stop are cut.
const STOP: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// For people and integrators (HTTP).
    pub listen: SocketAddr,
    /// For gates (TLS).
    pub gate_listen: SocketAddr,
    /// Where everything that counts is held.
    pub database: Database,
    /// Folder of the keys and of the administrator's token; the database's own where it is a file. Processes
    /// that serve one database have the same keys.
    pub state: Option<PathBuf>,
    /// Serve although the database was served with other keys before.
    pub new_keys: bool,
    /// The checked site.
    pub site: Site,
    /// Further names and addresses by which gates reach central.
    pub names: Vec<String>,
}

/// A central that serves.
#[derive(Debug)]
pub struct Serving {
    /// Bound address for people and integrators.
    pub listen: SocketAddr,
    /// Bound address for gates.
    pub gate_listen: SocketAddr,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<std::io::Result<()>>>,
}

/// The state folder unless told: systemd's, or one where central is started.
fn state_folder(options: &Options) -> PathBuf {
    match (&options.state, &options.database) {
        (Some(folder), _) => folder.clone(),
        (None, Database::Sqlite(path)) => {
            path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
        }
        (None, Database::Postgres(_)) => {
            std::env::var_os("STATE_DIRECTORY").map_or_else(|| PathBuf::from("varco-central"), PathBuf::from)
        }
    }
}

/// Opens the store, and holds the keys against those that the database was served with before.
async fn open_store(options: &Options, key: &str) -> Result<(Store, i64)> {
    let (database, port) = (options.database.clone(), options.site.port.clone());
    let store = tokio::task::spawn_blocking(move || Store::open(&database, &port)).await?;
    let store = store.with_context(|| format!("database {}", options.database))?;
    let (key, anew) = (key.to_owned(), options.new_keys);
    let of = key.clone();
    let known = move |tx: &Tx<'_>| {
        let known = tx.setting(RELEASE_KEY)?;
        if known.is_none() || anew {
            tx.set(RELEASE_KEY, &of)?;
        }
        Ok::<_, StoreError>((known, tx.last_news()?))
    };
    let (known, last_news) =
        store.write(known).await.with_context(|| format!("database {}", options.database))?;
    if known.is_some_and(|known| known != key) && !anew {
        anyhow::bail!(
            "the database was served with other keys before, which the gates trust: give the same state folder \
             (--state), or, where those keys are lost, --new-keys, and enrol every gate anew"
        );
    }
    Ok((store, last_news))
}

/// Opens state folder and database, binds both listeners and serves until stopped.
pub async fn start(options: Options) -> Result<Serving> {
    let folder = state_folder(&options);
    let folder = folder.as_path();
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be created; check the path and its rights", folder.display()))?;
    let authority = Authority::open(folder, options.site.port.as_str())?;
    let release_key = state::release_key(&folder.join("release-key"))?;
    let admin = state::digest(state::keep(&folder.join("admin-token"), state::secret)?.trim());
    let (store, last_news) =
        open_store(&options, &gate_types::jws::key_to_text(&release_key.verifying_key())).await?;
    let tls = TlsAcceptor::from(authority.server(&options.names)?);
    let (stop, stopping) = watch::channel(false);
    let site = Arc::new(options.site);
    let (feed, _) = broadcast::channel(app::BACKLOG);
    tokio::spawn(feed::follow(store.clone(), last_news, feed.clone(), stopping.clone()));
    tokio::spawn(clock::look(store.clone(), Arc::clone(&site), stopping.clone()));
    let app = Arc::new(App { store, site, authority, release_key, admin, feed, stopping: stopping.clone() });
    let people = bind(options.listen, None, "--listen").await?;
    let gates = bind(options.gate_listen, Some(tls), "--gate-listen").await?;
    let (listen, gate_listen) = (people.address(), gates.address());
    let servers = vec![
        serve(people, people_api::routes(Arc::clone(&app)), stopping.clone()),
        serve(gates, gate_api::routes(app), stopping),
    ];
    tracing::info!(%listen, %gate_listen, "central serves");
    Ok(Serving { listen, gate_listen, stop, servers })
}

async fn bind(address: SocketAddr, tls: Option<TlsAcceptor>, option: &str) -> Result<PortListener> {
    let told = || {
        format!("{option} {address} cannot be bound; is the port taken, or the address not of this machine?")
    };
    PortListener::bind(address, tls).await.with_context(told)
}

fn serve(
    listener: PortListener,
    routes: Router,
    mut stopping: watch::Receiver<bool>,
) -> JoinHandle<std::io::Result<()>> {
    let stopped = async move {
        // An error means that nobody can stop us any more: the same as a stop.
        drop(stopping.wait_for(|stopped| *stopped).await);
    };
    let service = routes.into_make_service_with_connect_info::<Peer>();
    let server = axum::serve(listener, service).with_graceful_shutdown(stopped);
    tokio::spawn(server.into_future())
}

impl Serving {
    /// Takes no more connections, finishes the requests under way, and cuts what is left after 5 s.
    pub async fn stop(self) -> Result<()> {
        self.stop.send_replace(true);
        for mut server in self.servers {
            match tokio::time::timeout(STOP, &mut server).await {
                Ok(ended) => ended.context("a server task failed")?.context("a listener failed")?,
                Err(_) => {
                    tracing::warn!("connections were still open and are cut");
                    server.abort();
                }
            }
        }
        Ok(())
    }
}
