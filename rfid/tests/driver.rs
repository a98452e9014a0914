//! The driver against a real TCP reader that runs the reader face.

use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use rfid::reader::{Moment, ReaderFace, Sighting};
use rfid::wire::{AntennaChange, EpcBits};
use rfid::{ReaderCommand, ReaderDriver};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

const LIMIT: Duration = Duration::from_secs(20);

/// What happens to the simulated reader.
enum Happens {
    Tag(Sighting),
    Antenna(AntennaChange, u16),
    /// Sends nothing more.
    Mute,
    /// Drops the client, as a restart does.
    Restart,
}

struct Reader {
    address: SocketAddr,
    happens: mpsc::Sender<Happens>,
    inventorying: watch::Receiver<bool>,
    task: JoinHandle<()>,
}

fn epc(n: u8) -> EpcBits {
    EpcBits::of_bytes(&[0x34, 0x76, 0x45, 0x1f, 0xd4, 0, 0, 0, 0, 0, 0, n]).unwrap()
}
fn tag(n: u8, antenna: u16, rssi_dbm: i8) -> Happens {
    Happens::Tag(Sighting { epc: epc(n), antenna, rssi_dbm, pc: None })
}

impl Reader {
    async fn start(antennas: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (happens, mut receiver) = mpsc::channel(16);
        let (on, inventorying) = watch::channel(false);
        let began = Instant::now();
        let now = move || Moment {
            ms: u64::try_from(began.elapsed().as_millis()).unwrap(),
            utc_us: 1_700_000_000_000_000,
        };
        let task = tokio::spawn(async move {
            loop {
                let Ok((mut stream, _)) = listener.accept().await else { return };
                let mut face = ReaderFace::new(antennas);
                face.connected(now());
                let mut mute = false;
                let mut buffer = [0u8; 512];
                loop {
                    while let Some(bytes) = face.next_output() {
                        if !mute && stream.write_all(&bytes).await.is_err() {
                            break;
                        }
                    }
                    on.send_replace(face.is_inventorying());
                    if face.is_closing() {
                        break;
                    }
                    let wait = face.next_deadline_ms().map_or(1_000, |at| at.saturating_sub(now().ms)).max(1);
                    tokio::select! {
                        n = stream.read(&mut buffer) => match n {
                            Ok(0) | Err(_) => break,
                            Ok(n) => face.receive(&buffer[..n], now()).unwrap(),
                        },
                        // A second client is refused while this one is served.
                        second = listener.accept() => if let Ok((mut second, _)) = second {
                            let _ = second.write_all(&ReaderFace::refusal(now())).await;
                        },
                        what = receiver.recv() => match what {
                            Some(Happens::Tag(sighting)) => { face.see(&sighting, now()); }
                            Some(Happens::Antenna(change, antenna)) => face.antenna(change, antenna, now()),
                            Some(Happens::Mute) => mute = true,
                            Some(Happens::Restart) => break,
                            None => return,
                        },
                        () = tokio::time::sleep(Duration::from_millis(wait)) => face.tick(now()),
                    }
                }
                on.send_replace(false);
            }
        });
        Self { address, happens, inventorying, task }
    }
    async fn until(&mut self, inventorying: bool) {
        tokio::time::timeout(LIMIT, self.inventorying.wait_for(|on| *on == inventorying))
            .await
            .unwrap()
            .unwrap();
    }
}

struct Lane {
    observations: mpsc::Receiver<Observation>,
    commands: mpsc::Sender<ReaderCommand>,
    task: JoinHandle<()>,
}

impl Lane {
    fn start(address: SocketAddr, antennas: &[u16], query: &str) -> Self {
        let endpoint = Endpoint::parse(&format!("llrp://{address}?{query}")).unwrap();
        let (sender, observations) = mpsc::channel(64);
        let (commands, receiver) = mpsc::channel(8);
        let link = DeviceLink {
            id: DeviceId::new("n1-in-1.reader").unwrap(),
            clock: Clock::start(),
            observations: sender,
            commands: receiver,
            tap: Tap::off(),
        };
        let driver = ReaderDriver::new(endpoint, antennas.to_vec(), -70);
        let backoff = Backoff { first_ms: 20, longest_ms: 100 };
        Self { observations, commands, task: tokio::spawn(supervise(driver, link, backoff)) }
    }
    async fn next(&mut self) -> Observed {
        tokio::time::timeout(LIMIT, self.observations.recv())
            .await
            .expect("an observation in time")
            .unwrap()
            .what
    }
    async fn up(&mut self) {
        assert_eq!(self.next().await, Observed::Health(Health::Up));
    }
    async fn down(&mut self, part: &str) {
        match self.next().await {
            Observed::Health(Health::Down { why }) => {
                assert!(why.contains(part) && why.contains("n1-in-1.reader at llrp://127.0.0.1:"), "{why}");
            }
            other => panic!("expected down: {part}, got {other:?}"),
        }
    }
    async fn tag(&mut self, n: u8) -> gate_types::observation::TagRead {
        match self.next().await {
            Observed::Tag(read) => {
                assert_eq!(read.epc, epc(n).hex());
                read
            }
            other => panic!("expected tag {n}, got {other:?}"),
        }
    }
}

#[tokio::test]
async fn tags_of_the_lane_are_said_while_the_inventory_runs() {
    let mut reader = Reader::start(4).await;
    let mut lane = Lane::start(reader.address, &[1, 2], "");
    lane.up().await;
    lane.commands.send(ReaderCommand::Start).await.unwrap();
    reader.until(true).await;
    reader.happens.send(tag(1, 2, -71)).await.unwrap(); // too weak
    reader.happens.send(tag(2, 3, -40)).await.unwrap(); // another lane's antenna
    reader.happens.send(tag(3, 2, -55)).await.unwrap();
    reader.happens.send(tag(3, 2, -55)).await.unwrap(); // known
    reader.happens.send(tag(4, 1, -60)).await.unwrap();
    let read = lane.tag(3).await;
    assert_eq!((read.antenna, read.rssi_dbm, read.seen_count), (2, -55, 1));
    assert_eq!(read.uri.as_deref(), Some("urn:epc:tag:giai-96:3.9521141.3"));
    assert_eq!(read.role, gate_types::observation::TagRole::Vehicle);
    lane.tag(4).await;
    // A second dwell says the same tag again; after the stop nothing runs.
    lane.commands.send(ReaderCommand::Stop).await.unwrap();
    reader.until(false).await;
    lane.commands.send(ReaderCommand::Start).await.unwrap();
    reader.until(true).await;
    reader.happens.send(tag(3, 1, -50)).await.unwrap();
    lane.tag(3).await;
    // The lane drops the reader: a good-bye frees it.
    drop(lane.commands);
    tokio::time::timeout(LIMIT, lane.task).await.unwrap().unwrap();
    let mut next = Lane::start(reader.address, &[1], "");
    next.up().await;
    reader.task.abort();
}

#[tokio::test]
async fn an_antenna_that_goes_degrades_the_reader_until_it_is_back() {
    let reader = Reader::start(2).await;
    let mut lane = Lane::start(reader.address, &[1], "");
    lane.up().await;
    reader.happens.send(Happens::Antenna(AntennaChange::Disconnected, 2)).await.unwrap();
    reader.happens.send(Happens::Antenna(AntennaChange::Disconnected, 1)).await.unwrap();
    let Observed::Health(Health::Degraded { why }) = lane.next().await else { panic!() };
    assert!(why.contains("antenna 1"), "{why}");
    reader.happens.send(Happens::Antenna(AntennaChange::Connected, 1)).await.unwrap();
    lane.up().await;
}

#[tokio::test]
async fn a_restarted_reader_is_set_up_anew_and_takes_up_its_inventory() {
    let mut reader = Reader::start(2).await;
    let mut lane = Lane::start(reader.address, &[1, 2], "");
    lane.up().await;
    lane.commands.send(ReaderCommand::Start).await.unwrap();
    reader.until(true).await;
    reader.happens.send(tag(1, 1, -50)).await.unwrap();
    lane.tag(1).await;
    reader.happens.send(Happens::Restart).await.unwrap();
    lane.down("closed the connection").await;
    lane.up().await;
    reader.until(true).await;
    reader.happens.send(tag(1, 1, -50)).await.unwrap(); // already said in this dwell
    reader.happens.send(tag(2, 1, -50)).await.unwrap();
    lane.tag(2).await;
}

#[tokio::test]
async fn a_silent_reader_is_lost_after_two_keepalives() {
    let reader = Reader::start(1).await;
    let mut lane = Lane::start(reader.address, &[1], "keepalive_ms=200");
    lane.up().await;
    // It stays up over many keepalives, then it goes silent with the connection open.
    let quiet = tokio::time::timeout(Duration::from_millis(1_200), lane.observations.recv()).await;
    assert!(quiet.is_err(), "{quiet:?}");
    reader.happens.send(Happens::Mute).await.unwrap();
    lane.down("2 keepalives missed").await;
    lane.up().await;
}

#[tokio::test]
async fn a_taken_reader_is_asked_for_again_until_it_is_free() {
    let reader = Reader::start(1).await;
    let mut first = Lane::start(reader.address, &[1], "");
    first.up().await;
    let mut second = Lane::start(reader.address, &[1], "");
    second.down("another client has the reader").await;
    drop(first.commands);
    loop {
        match second.next().await {
            Observed::Health(Health::Up) => break,
            Observed::Health(Health::Down { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn wrong_settings_and_foreign_peers_are_named() {
    let reader = Reader::start(2).await;
    Lane::start(reader.address, &[5], "").down("antennas: 5 is configured, the reader has 1 to 2").await;
    Lane::start(reader.address, &[1], "keepalive_ms=soon").down("keepalive_ms=`soon`").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(listener.local_addr().unwrap(), &[1], "request_ms=300");
    for (sends, says) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "protocol: a message announces"),
        (&[0x04, 0x3e, 0, 0, 0, 10, 0, 0, 0, 1][..], "not with a connection event"),
        (&[][..], "no connection event within 300 ms"),
    ] {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(sends).await.unwrap();
        lane.down(says).await;
    }
}
