//! The driver over a real pseudo-terminal and over TCP.

use device::{Backoff, Clock, DeviceLink, Endpoint, Health, Observation, Observed, Tap, supervise};
use gate_types::DeviceId;
use gate_types::observation::{StableSource, WeightRange, WeightRead};
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use weighbridge::wire::toledo::{Checksum, Telegram};
use weighbridge::wire::{Decimal, Lines, Load, Speech, Unit, sics};
use weighbridge::{ScaleCommand, ScaleDriver};

const LIMIT: Duration = Duration::from_secs(20);

struct Lane {
    observations: mpsc::Receiver<Observation>,
    commands: mpsc::Sender<ScaleCommand>,
}

impl Lane {
    fn start(endpoint: &str) -> Self {
        let (sender, observations) = mpsc::channel(64);
        let (commands, receiver) = mpsc::channel(8);
        let link = DeviceLink {
            id: DeviceId::new("n1-in-1.scale").unwrap(),
            clock: Clock::start(),
            observations: sender,
            commands: receiver,
            tap: Tap::off(),
        };
        let driver = ScaleDriver::new(Endpoint::parse(endpoint).unwrap(), 60_000.0, 20.0);
        tokio::spawn(supervise(driver, link, Backoff { first_ms: 20, longest_ms: 100 }));
        Self { observations, commands }
    }
    async fn next(&mut self) -> Observed {
        tokio::time::timeout(LIMIT, self.observations.recv())
            .await
            .expect("an observation in time")
            .unwrap()
            .what
    }
    async fn health(&mut self) -> Health {
        loop {
            if let Observed::Health(health) = self.next().await {
                return health;
            }
        }
    }
    async fn down(&mut self) -> String {
        loop {
            if let Health::Down { why } = self.health().await {
                assert!(why.starts_with("n1-in-1.scale at "), "{why}");
                return why;
            }
        }
    }
    async fn weight(&mut self, wanted: impl Fn(&WeightRead) -> bool) -> WeightRead {
        tokio::time::timeout(LIMIT, async {
            loop {
                if let Observed::Weight(read) = self.next().await
                    && wanted(&read)
                {
                    return read;
                }
            }
        })
        .await
        .expect("the weight in time")
    }
}

fn telegram(kg: f64, motion: bool) -> Vec<u8> {
    let mut t = Telegram::gross_kg(kg, 20.0).unwrap();
    t.motion = motion;
    t.encode(Checksum::Present)
}

/// The indicator's end of a pseudo-terminal, and the device's name.
fn pty() -> (tokio::fs::File, OwnedFd, String) {
    let pair = nix::pty::openpty(None, None).unwrap();
    let name = nix::unistd::ttyname(&pair.slave).unwrap();
    let mut raw = nix::sys::termios::tcgetattr(&pair.slave).unwrap();
    nix::sys::termios::cfmakeraw(&mut raw);
    nix::sys::termios::tcsetattr(&pair.slave, nix::sys::termios::SetArg::TCSANOW, &raw).unwrap();
    let master = tokio::fs::File::from_std(std::fs::File::from(pair.master));
    (master, pair.slave, name.to_str().unwrap().to_owned())
}

/// Sends a telegram 20 times a second until the lane has what it waits for.
async fn sending<T>(
    to: &mut (impl AsyncWriteExt + Unpin),
    bytes: &[u8],
    until: impl Future<Output = T>,
) -> T {
    let mut every = tokio::time::interval(Duration::from_millis(50));
    tokio::pin!(until);
    loop {
        tokio::select! {
            done = &mut until => return done,
            _ = every.tick() => to.write_all(bytes).await.unwrap(),
        }
    }
}

#[tokio::test]
async fn a_serial_indicator_is_read_until_its_port_goes() {
    let (mut master, slave, name) = pty();
    let mut lane = Lane::start(&format!("serial://{name}?protocol=toledo&baud=9600"));
    sending(&mut master, &telegram(12_333.0, true), async { assert_eq!(lane.health().await, Health::Up) })
        .await;
    let moving = sending(&mut master, &telegram(12_333.0, true), lane.weight(|_| true)).await;
    assert_eq!((moving.gross_kg, moving.stable, moving.range), (12_340.0, false, WeightRange::InRange));
    let stable = sending(&mut master, &telegram(12_333.0, false), lane.weight(|w| w.stable)).await;
    assert_eq!((stable.gross_kg, stable.stable_source), (12_340.0, StableSource::Indicator));
    assert_eq!(stable.raw, "023130203030313233343030303030300d26");
    drop(slave);
    drop(master);
    let why = lane.down().await;
    assert!(why.contains("port is gone") || why.contains("reading:"), "{why}");
}

#[tokio::test]
async fn faulty_telegrams_are_no_weights_and_degrade_the_line() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(&format!("tcp://{}?protocol=toledo", listener.local_addr().unwrap()));
    let (mut stream, _) = listener.accept().await.unwrap();
    let good = telegram(20_000.0, false);
    let mut bad = telegram(44_000.0, false);
    bad[17] ^= 0x01;
    let mix = [bad.clone(), b"\x02\r\n??".to_vec(), good.clone(), bad].concat();
    let degraded = async {
        loop {
            match lane.next().await {
                Observed::Weight(read) => assert_eq!(read.gross_kg, 20_000.0),
                Observed::Health(Health::Up) => {}
                Observed::Health(Health::Degraded { why }) => return why,
                other => panic!("{other:?}"),
            }
        }
    };
    let why = sending(&mut stream, &mix, degraded).await;
    assert!(why.contains("faulty telegrams"), "{why}");
    // Wrong checksums alone are silence.
    let mut bad = telegram(44_000.0, false);
    bad[17] ^= 0x01;
    let why = sending(&mut stream, &bad, lane.down()).await;
    assert!(why.contains("no valid telegram for 2000 ms"), "{why}");
    // It heals by itself.
    let (mut stream, _) = listener.accept().await.unwrap();
    let read = sending(&mut stream, &good, lane.weight(|_| true)).await;
    assert!(read.stable);
}

#[tokio::test]
async fn statements_are_bounded_and_a_foreign_unit_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(&format!("tcp://{}?checksum=yes", listener.local_addr().unwrap()));
    let (mut stream, _) = listener.accept().await.unwrap();
    let began = tokio::time::Instant::now();
    let mut said = 0u128;
    // Half a second of changing weights at 200 a second.
    for i in 0..100u32 {
        stream.write_all(&telegram(f64::from(i * 20), true)).await.unwrap();
        tokio::time::timeout(Duration::from_millis(5), async {
            loop {
                if let Observed::Weight(_) = lane.next().await {
                    said += 1;
                }
            }
        })
        .await
        .unwrap_err();
    }
    let most = began.elapsed().as_millis() / 100 + 2;
    assert!((1..=most).contains(&said), "{said} of at most {most}");
    let mut pounds = Telegram::gross_kg(20_000.0, 20.0).unwrap();
    pounds.unit = Unit::Pound;
    stream.write_all(&pounds.encode(Checksum::Present)).await.unwrap();
    let why = lane.down().await;
    assert!(why.contains("protocol: the indicator weighs in `lb`"), "{why}");
}

/// An indicator of demand: answers each request as the manual says.
async fn answer(stream: &mut TcpStream, replies: &[sics::Reply], zeroes: mpsc::Sender<()>) {
    let mut lines = Lines::new();
    let mut buffer = [0u8; 64];
    let mut turn = replies.iter().cycle();
    loop {
        let Ok(n) = stream.read(&mut buffer).await else { return };
        if n == 0 {
            return;
        }
        let mut rest = &buffer[..n];
        while let Some(line) = lines.take(&mut rest) {
            let reply = match sics::Request::decode(&line.unwrap()) {
                Some(sics::Request::Immediate) => turn.next().unwrap().clone(),
                Some(sics::Request::Zero) => {
                    zeroes.send(()).await.unwrap();
                    sics::Reply::Zeroed(sics::Zeroed::Done)
                }
                other => panic!("{other:?}"),
            };
            if stream.write_all(&reply.encode()).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test]
async fn an_indicator_of_demand_is_asked_and_zeroed_near_zero_only() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut lane = Lane::start(&format!("tcp://{}?protocol=sics", listener.local_addr().unwrap()));
    let (zeroes, mut zeroed) = mpsc::channel(4);
    let weight = |digits, stable| sics::Reply::Weight {
        stable,
        value: Decimal { digits, places: 0 },
        unit: Unit::Kilogram,
    };
    let (mut stream, _) = listener.accept().await.unwrap();
    let heavy = [weight(12_340, false), sics::Reply::NotNow, weight(12_340, true), sics::Reply::Over];
    tokio::select! {
        () = answer(&mut stream, &heavy, zeroes.clone()) => panic!("the driver hung up"),
        () = async {
            assert_eq!(lane.health().await, Health::Up);
            assert_eq!(lane.weight(|w| w.stable).await.gross_kg, 12_340.0);
            lane.commands.send(ScaleCommand::Zero).await.unwrap();
            assert!(!lane.weight(|w| w.range == WeightRange::Over).await.stable);
            lane.weight(|w| w.stable).await;
            assert!(zeroed.try_recv().is_err(), "never zero under a load");
        } => {}
    }
    drop(stream);
    assert!(lane.down().await.contains("port is gone"));
    let light = [weight(20, true)];
    let (mut stream, _) = listener.accept().await.unwrap();
    tokio::select! {
        () = answer(&mut stream, &light, zeroes.clone()) => panic!("the driver hung up"),
        done = async {
            lane.weight(|w| w.gross_kg == 20.0).await;
            lane.commands.send(ScaleCommand::Zero).await.unwrap();
            tokio::time::timeout(LIMIT, zeroed.recv()).await
        } => assert_eq!(done.unwrap(), Some(())),
    }
}

#[tokio::test]
async fn stability_is_computed_where_the_motion_bit_is_not_wired() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut lane = Lane::start(&format!("tcp://{address}?stability=computed&settle_ms=300"));
    let (mut stream, _) = listener.accept().await.unwrap();
    let read = sending(&mut stream, &telegram(8_000.0, true), lane.weight(|w| w.stable)).await;
    assert_eq!((read.gross_kg, read.stable_source), (8_000.0, StableSource::Computed));
    let why = Lane::start(&format!("tcp://{address}?protocol=magic")).down().await;
    assert!(why.contains("protocol=`magic`: toledo, sics"), "{why}");
}

/// Serves one indicator by its own side of the format, with the load that the test sets.
async fn indicator(listener: TcpListener, name: &'static str, load: tokio::sync::watch::Receiver<Load>) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut speech = Speech::of_name(name, 20.0).unwrap();
        let mut every = tokio::time::interval(Duration::from_millis(50));
        let mut buffer = [0u8; 256];
        loop {
            let out = tokio::select! {
                _ = every.tick() => speech.telegram(&load.borrow()).unwrap_or_default(),
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(n) => speech.hear(&buffer[..n], &load.borrow()).0,
                },
            };
            if stream.write_all(&out).await.is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn every_format_is_read_over_tcp() {
    for name in ["sma", "dini", "rice-lake", "yaohua", "yaohua-reversed", "yaohua-line", "systec"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint =
            format!("tcp://{}?protocol={name}&unit=kg&settle_ms=300", listener.local_addr().unwrap());
        let (load, seen) = tokio::sync::watch::channel(Load { kg: 12_333.0, ..Load::default() });
        tokio::spawn(indicator(listener, name, seen));
        let mut lane = Lane::start(&endpoint);
        assert_eq!(lane.health().await, Health::Up, "{name}");
        let read = lane.weight(|w| w.stable).await;
        let computed = name.starts_with("yaohua");
        let source = if computed { StableSource::Computed } else { StableSource::Indicator };
        assert_eq!((read.gross_kg, read.stable_source), (12_340.0, source), "{name}");
        load.send(Load { kg: 61_000.0, over: true, ..Load::default() }).unwrap();
        lane.weight(|w| w.range == WeightRange::Over && !w.stable).await;
        load.send(Load::default()).unwrap();
        lane.weight(|w| w.stable && w.gross_kg == 0.0).await;
    }
}

#[tokio::test]
async fn each_stable_vehicle_is_kept_in_the_alibi_memory_once() {
    for (name, first, second) in
        [("dini", "00000-000001", "00000-000002"), ("systec", "01.01.26/1", "01.01.26/2")]
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tcp://{}?protocol={name}&alibi=yes", listener.local_addr().unwrap());
        let (load, seen) = tokio::sync::watch::channel(Load::default());
        tokio::spawn(indicator(listener, name, seen));
        let mut lane = Lane::start(&endpoint);
        assert_eq!(lane.weight(|w| w.stable).await.alibi, None, "an empty platform is no weighing");
        for (kg, number) in [(12_340.0, first), (8_000.0, second)] {
            load.send(Load { kg, ..Load::default() }).unwrap();
            let read = lane.weight(|w| w.alibi.is_some()).await;
            assert_eq!((read.gross_kg, read.alibi.as_deref()), (kg, Some(number)), "{name}");
            load.send(Load::default()).unwrap();
            lane.weight(|w| w.gross_kg == 0.0).await;
        }
    }
}

#[tokio::test]
async fn a_verification_that_has_ended_and_wrong_settings_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_load, seen) = tokio::sync::watch::channel(Load::default());
    tokio::spawn(indicator(listener, "toledo", seen));
    let health = Lane::start(&format!("tcp://{address}?verified_until=2020-12-31")).health().await;
    assert!(
        matches!(&health, Health::Degraded { why } if why.contains("verification has ended")),
        "{health:?}"
    );
    for (query, part) in [
        ("protocol=yaohua", "add unit=kg"),
        ("protocol=yaohua&unit=kg&stability=indicator", "has no flag"),
        ("protocol=modbus", "registers=FILE"),
        ("protocol=sma&mode=often", "demand or continuous"),
        ("verified_until=soon", "a day such as"),
        ("alibi=maybe", "yes or no"),
    ] {
        let why = Lane::start(&format!("tcp://{address}?{query}")).down().await;
        assert!(why.contains(part), "{query}: {why}");
    }
}

/// A Modbus indicator that answers what it is asked, or too late.
#[tokio::test]
async fn a_late_register_answer_is_never_a_weight() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/data/laumas-tlb.toml");
    let endpoint = format!("modbus://{}?registers={map}", listener.local_addr().unwrap());
    let mut lane = Lane::start(&endpoint);
    let answer = |request: &[u8], kg: u16| {
        let mut out = request[..2].to_vec();
        out.extend([0, 0, 0, 9, 1, 3, 6, 8, 0, 0, 0]);
        out.extend(kg.to_be_bytes());
        out
    };
    let mut request = [0u8; 12];
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.read_exact(&mut request).await.unwrap();
    stream.write_all(&answer(&request, 12_340)).await.unwrap();
    assert_eq!(lane.weight(|w| w.stable).await.gross_kg, 12_340.0);
    // The next answer stays away for longer than it is awaited: the line is dropped, and with it the answer.
    stream.read_exact(&mut request).await.unwrap();
    let why = lane.down().await;
    assert!(why.contains("no answer within"), "{why}");
    let _late = stream.write_all(&answer(&request, 55_000)).await;
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.read_exact(&mut request).await.unwrap();
    stream.write_all(&answer(&request, 40)).await.unwrap();
    assert_eq!(lane.weight(|_| true).await.gross_kg, 40.0);
}

#[tokio::test]
async fn a_flood_of_noise_and_an_endless_nothing_end_in_a_named_fault() {
    let (mut master, _slave, name) = pty();
    let mut lane = Lane::start(&format!("serial://{name}?protocol=dini&mode=continuous&baud=9600"));
    // The wrong baud rate: bytes without meaning, for longer than an indicator may be silent.
    let noise: Vec<u8> = (0..64u8).map(|n| n.wrapping_mul(37) | 0x80).collect();
    let why = sending(&mut master, &noise, lane.down()).await;
    assert!(why.contains("no valid telegram"), "{why}");
    let found = sending(&mut master, b"40,kg\r\nST,GS,   12340,kg\r\n", lane.weight(|w| w.stable)).await;
    assert_eq!(found.gross_kg, 12_340.0, "half a line before it");
}

/// An indicator behind a serial server: RTU frames over TCP.
#[tokio::test]
async fn registers_are_read_by_rtu_over_tcp() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let map = concat!(env!("CARGO_MANIFEST_DIR"), "/data/laumas-tlb.toml");
    let endpoint = format!("modbus-rtu://{}?registers={map}&unit_id=3", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            let mut request = [0u8; 8];
            while line.read_exact(&mut request).await.is_ok() {
                assert_eq!(request[..6], [3, 3, 0, 6, 0, 3]);
                // Standstill, 12,340 kg.
                let mut answer = vec![3, 3, 6, 0x08, 0x00, 0x00, 0x00, 0x30, 0x34];
                let crc = answer.iter().fold(0xffff_u16, |crc, byte| {
                    (0..8).fold(
                        crc ^ u16::from(*byte),
                        |c, _| if c & 1 == 1 { c >> 1 ^ 0xa001 } else { c >> 1 },
                    )
                });
                answer.extend(crc.to_le_bytes());
                // A serial server cuts where it likes.
                let (first, rest) = answer.split_at(4);
                if line.write_all(first).await.is_err() || line.write_all(rest).await.is_err() {
                    break;
                }
            }
        }
    });
    let mut lane = Lane::start(&endpoint);
    let read = lane.weight(|w| w.stable).await;
    assert_eq!((read.gross_kg, read.stable_source), (12_340.0, StableSource::Indicator));
}
