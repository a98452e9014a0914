//! `varco-central` as customs and the port authority run it: it issues IOT_IDs (B5), holds missions and
//! their releases, answers the gates, takes their events once each, follows every mission node by node and
//! raises alarms where a vehicle leaves the admissible paths (B14, B41).

mod app;
mod ca;
mod gate_api;
mod heads;
mod intake;
mod listen;
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

pub use state::write_whole;

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
use store::Store;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// Connections still open this long after a stop are cut.
const STOP: Duration = Duration::from_secs(5);

/// How to serve.
#[derive(Debug, Clone)]
pub struct Options {
    /// For people and integrators (HTTP).
    pub listen: SocketAddr,
    /// For gates (TLS).
    pub gate_listen: SocketAddr,
    /// SQLite file; keys and the administrator's token lie in its folder.
    pub database: PathBuf,
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

/// The file of `sqlite:PATH`.
pub fn database_path(url: &str) -> Result<PathBuf> {
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(PathBuf::from(path)),
        Some(_) | None => anyhow::bail!("--database {url}: give `sqlite:PATH`"),
    }
}

/// Opens state folder and database, binds both listeners and serves until stopped.
pub async fn start(options: Options) -> Result<Serving> {
    let folder = options.database.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be created; check the path and its rights", folder.display()))?;
    let authority = Authority::open(folder, options.site.port.as_str())?;
    let release_key = state::release_key(&folder.join("release-key"))?;
    let admin = state::digest(state::keep(&folder.join("admin-token"), state::secret)?.trim());
    let store = Store::open(&options.database, &options.site.port)
        .with_context(|| format!("database {}", options.database.display()))?;
    let tls = TlsAcceptor::from(authority.server(&options.names)?);
    let (stop, stopping) = watch::channel(false);
    let site = Arc::new(options.site);
    let (feed, _) = broadcast::channel(app::BACKLOG);
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
