//! Listening sockets: a bounded number of connections, TLS handshakes beside each other, and the node of
//! the client certificate handed on with each connection.

use crate::ca;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use gate_types::NodeId;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Most connections at once, per listener.
const CONNECTIONS: usize = 512;
/// A handshake ends by then.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A peer without a certificate comes to enrol only, and is gone by then.
const STRANGER: Duration = Duration::from_secs(30);

/// Who is at the other end.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    /// The node that its certificate names; none without a certificate.
    pub(crate) node: Option<NodeId>,
}

impl Connected<IncomingStream<'_, PortListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, PortListener>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A listener for [`axum::serve`], with TLS or without.
pub(crate) struct PortListener {
    accepted: mpsc::Receiver<(Connection, Peer)>,
    local: SocketAddr,
}

impl PortListener {
    /// Binds and begins to accept.
    pub(crate) async fn bind(address: SocketAddr, tls: Option<TlsAcceptor>) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let local = socket.local_addr()?;
        let (hand_on, accepted) = mpsc::channel(16);
        tokio::spawn(accept(socket, tls, hand_on));
        Ok(Self { accepted, local })
    }
    /// The address as bound.
    pub(crate) fn address(&self) -> SocketAddr {
        self.local
    }
}

impl Listener for PortListener {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        match self.accepted.recv().await {
            Some(pair) => pair,
            None => std::future::pending().await,
        }
    }
    fn local_addr(&self) -> io::Result<Peer> {
        Ok(Peer { address: self.local, node: None })
    }
}

async fn accept(socket: TcpListener, tls: Option<TlsAcceptor>, hand_on: mpsc::Sender<(Connection, Peer)>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = hand_on.closed() => return,
        };
        let (stream, address) = match accepted {
            Ok(pair) => pair,
            Err(e) => {
                tracing::warn!(error = %e, "a connection could not be accepted; raise the limit of open files if this repeats");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        if let Err(e) = stream.set_nodelay(true) {
            tracing::debug!(%address, error = %e, "TCP_NODELAY was not set");
        }
        let (tls, hand_on) = (tls.clone(), hand_on.clone());
        tokio::spawn(async move {
            let Some(pair) = greet(stream, address, tls, place).await else { return };
            if hand_on.send(pair).await.is_err() {
                tracing::debug!(%address, "connection dropped: the server stops");
            }
        });
    }
}

async fn greet(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    place: OwnedSemaphorePermit,
) -> Option<(Connection, Peer)> {
    let Some(tls) = tls else {
        let connection = Connection { stream: Stream::Plain(stream), until: None, _place: place };
        return Some((connection, Peer { address, node: None }));
    };
    let stream = match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(e)) => {
            tracing::info!(%address, error = %e, "TLS handshake refused; if this is a gate, enrol it anew");
            return None;
        }
        Err(_) => {
            tracing::info!(%address, "TLS handshake did not end in time");
            return None;
        }
    };
    let node = stream.get_ref().1.peer_certificates().and_then(<[_]>::first).and_then(ca::node_of);
    let until = node.is_none().then(|| Box::pin(tokio::time::sleep(STRANGER)));
    let connection = Connection { stream: Stream::Tls(Box::new(stream)), until, _place: place };
    Some((connection, Peer { address, node }))
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// One accepted connection; it gives its place back when dropped.
pub(crate) struct Connection {
    stream: Stream,
    until: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(until) = &mut self.until
            && until.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        match &mut self.stream {
            Stream::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Stream::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Stream::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(s) => Pin::new(s).poll_flush(cx),
            Stream::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Stream::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}
