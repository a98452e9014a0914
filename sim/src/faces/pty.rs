//! The device's end of a pseudo terminal, as a line of bytes that behaves like a serial one: raw, always
//! alive, and what nobody reads is lost instead of waiting.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::termios::{FlushArg, SetArg, cfmakeraw, tcflush, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{ErrorKind, Result};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;

/// One end of a line whose other end is a device file.
#[derive(Debug)]
pub struct Pty {
    // The runtime's only safe reactor handles for a descriptor that is no socket.
    read: pipe::Receiver,
    write: pipe::Sender,
    /// Held open, so that the line lives while its client is away.
    slave: OwnedFd,
}

impl Pty {
    /// Opens a pair; gives this end and the device file of the other. Needs a tokio runtime.
    pub fn open() -> anyhow::Result<(Self, PathBuf)> {
        let pair = openpty(None, None)?;
        // Raw from the first byte on: a terminal that echoes would answer a device with its own telegrams.
        let mut mode = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut mode);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &mode)?;
        let path = nix::unistd::ttyname(&pair.slave)?;
        fcntl(&pair.master, FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK))?;
        let master = File::from(pair.master);
        let read = pipe::Receiver::from_file_unchecked(master.try_clone()?)?;
        let write = pipe::Sender::from_file_unchecked(master)?;
        Ok((Self { read, write, slave: pair.slave }, path))
    }
}

impl AsyncRead for Pty {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buf)
    }
}

impl AsyncWrite for Pty {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<Result<usize>> {
        Poll::Ready(match self.write.try_write(bytes) {
            // Nobody reads: what lies in the line is lost, as on a real one.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                tcflush(&self.slave, FlushArg::TCIOFLUSH)?;
                Ok(bytes.len())
            }
            result => result,
        })
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}
