//! Where the database is, as `--database` names it, and how it is reached.

use super::StoreError;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use rustls::{ClientConfig, RootCertStore};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A server that does not take the connection by then is not there.
const CONNECT: Duration = Duration::from_secs(5);

/// Which database: `sqlite:PATH`, or `postgres://USER@HOST/NAME` with `sslrootcert=FILE` where it is not on
/// this machine.
#[derive(Clone)]
pub enum Database {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Address>),
}

/// A PostgreSQL server, checked and ready to be connected to.
#[derive(Clone)]
pub struct Address {
    config: Config,
    tls: Option<MakeRustlsConnect>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Without the password.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(address) => {
                let hosts: Vec<String> =
                    address.config.get_hosts().iter().map(|h| format!("{h:?}")).collect();
                write!(f, "postgres {} {}", hosts.join(" "), address.config.get_dbname().unwrap_or_default())
            }
        }
    }
}

impl FromStr for Database {
    type Err = StoreError;

    fn from_str(url: &str) -> Result<Self, StoreError> {
        match url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Postgres(Box::new(Address::parse(url)?)))
            }
            Some(_) | None => Err(wrong("give `sqlite:PATH` or `postgres://USER@HOST/NAME`".to_owned())),
        }
    }
}

fn wrong(what: String) -> StoreError {
    StoreError::Address(what)
}

/// The URL without one of its parameters, and that parameter's value.
fn without(url: &str, name: &str) -> (String, Option<String>) {
    let Some((base, query)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (mut kept, mut found) = (Vec::new(), None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some((key, value)) if key == name => found = Some(value.to_owned()),
            Some(_) | None => kept.push(pair),
        }
    }
    let url = if kept.is_empty() { base.to_owned() } else { format!("{base}?{}", kept.join("&")) };
    (url, found)
}

impl Address {
    fn parse(url: &str) -> Result<Self, StoreError> {
        let (url, authority) = without(url, "sslrootcert");
        let mut config: Config = url.parse().map_err(|e| {
            // The parser's own message says what of the URL; the URL itself may hold a password.
            let cause = std::error::Error::source(&e).map(ToString::to_string).unwrap_or_default();
            wrong(format!("the URL is not one of PostgreSQL: {e} {cause}"))
        })?;
        config.application_name("varco-central").connect_timeout(CONNECT).tcp_user_timeout(2 * CONNECT);
        let near = config.get_hosts().iter().all(|host| match host {
            Host::Unix(_) => true,
            Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        });
        let tls = match authority {
            Some(file) => {
                config.ssl_mode(SslMode::Require);
                Some(MakeRustlsConnect::new(trusting(&file)?))
            }
            None if near || config.get_ssl_mode() == SslMode::Disable => {
                config.ssl_mode(SslMode::Disable);
                None
            }
            None => {
                return Err(wrong(
                    "the server is not on this machine: add `sslrootcert=FILE` (PEM of the authority that \
                     vouches for it), or `sslmode=disable` where the network itself is trusted"
                        .to_owned(),
                ));
            }
        };
        Ok(Self { config, tls })
    }

    /// Connects; the connection's own work is done while the caller's runtime runs.
    pub(super) async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        // An error of the connection's own task reaches every call that waits on it.
        match &self.tls {
            Some(tls) => {
                let (client, connection) = self.config.connect(tls.clone()).await?;
                tokio::spawn(connection);
                Ok(client)
            }
            None => {
                let (client, connection) = self.config.connect(NoTls).await?;
                tokio::spawn(connection);
                Ok(client)
            }
        }
    }
}

fn trusting(file: &str) -> Result<ClientConfig, StoreError> {
    let told = |e: &dyn fmt::Display| wrong(format!("sslrootcert={file}: {e}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|e| told(&e))? {
        roots.add(certificate.map_err(|e| told(&e))?).map_err(|e| told(&e))?;
    }
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|e| told(&e))?.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_far_server_is_reached_under_tls_only() {
        for url in ["postgres://u@db.port.it/varco", "sqlite:", "mysql://x", "postgres://u@[::1/x"] {
            assert!(url.parse::<Database>().is_err(), "{url}");
        }
        let near: Database = "postgres://u:secret@localhost/varco".parse().unwrap();
        assert!(!near.to_string().contains("secret"), "{near}");
        for url in ["postgres:///varco?host=/run/postgresql&user=u", "postgres://u@far/varco?sslmode=disable"]
        {
            assert!(url.parse::<Database>().is_ok(), "{url}");
        }
        let missing = "postgres://u@far/varco?sslrootcert=/nowhere.pem".parse::<Database>().unwrap_err();
        assert!(missing.to_string().contains("/nowhere.pem"), "{missing}");
    }
}
