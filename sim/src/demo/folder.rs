//! The run folder: the site's files with the simulator's endpoints in the place of the plant's. Nothing
//! else is changed, so that the daemon cannot tell.

use crate::faces;
use crate::world::bay::Bay;
use anyhow::{Context as _, bail};
use barrier_io::PointMap;
use config::{NodeConfig, Site};
use gate_types::endpoint::Endpoint;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::Value;
use weighbridge::wire::toledo::Checksum;

/// A site's files as read.
pub struct Plant {
    /// The site.
    pub site: Site,
    /// The node files, in order of their names.
    pub nodes: Vec<(PathBuf, NodeConfig)>,
}

/// Reads and checks a site's folder: `site.toml` and `nodes/*.toml`.
pub fn read(folder: &Path) -> anyhow::Result<Plant> {
    let site = config::load_site(&folder.join("site.toml"))?;
    let nodes_folder = folder.join("nodes");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&nodes_folder)
        .with_context(|| format!("{}: the node files' folder", nodes_folder.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("{}: no node file; a demo needs at least one", nodes_folder.display());
    }
    let load = |file: PathBuf| -> anyhow::Result<_> {
        let node = config::load_node(&file)?.node;
        Ok((file, node))
    };
    Ok(Plant { site, nodes: files.into_iter().map(load).collect::<Result<_, _>>()? })
}

/// Starts every device of every lane; gives the endpoints by device name.
pub async fn start_faces(plant: &Plant, bays: &[Arc<Bay>]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut endpoints = BTreeMap::new();
    for (file, node) in &plant.nodes {
        for lane in &node.lanes {
            let bay = bays.iter().find(|b| b.lane == lane.id).context("a lane without a bay")?;
            let name = |text: &str| format!("{}: {text}", file.display());
            let map = PointMap::load(&lane.io.points).map_err(|e| anyhow::anyhow!("{e}"))?;
            let address = faces::io::start(bay.clone(), map).await?;
            endpoints.insert(lane.io.id.to_string(), moved(&lane.io.endpoint, address)?);
            if let (Some(io), Some(exit)) = (&lane.exit_io, &bay.exit) {
                let map = PointMap::load(&io.points).map_err(|e| anyhow::anyhow!("{e}"))?;
                let address = faces::io::start(exit.clone(), map).await?;
                endpoints.insert(io.id.to_string(), moved(&io.endpoint, address)?);
            }
            for camera in &lane.cameras {
                let address = faces::camera::start(bay.clone(), camera.view).await?;
                endpoints.insert(camera.id.to_string(), moved(&camera.endpoint, address)?);
            }
            if let Some(reader) = &lane.reader {
                let most = reader.antennas.iter().copied().max().unwrap_or(1);
                let address = faces::reader::start(bay.clone(), most).await?;
                endpoints.insert(reader.id.to_string(), moved(&reader.endpoint, address)?);
            }
            if let Some(scale) = &lane.scale {
                let old = Endpoint::parse(&scale.endpoint)?;
                let checksum = match old.query.get("checksum").map(String::as_str) {
                    Some("no") => Checksum::Absent,
                    Some(_) | None => Checksum::Present,
                };
                let query = scale.endpoint.split_once('?').map_or("", |(_, q)| q);
                let path = faces::scale::start(bay.clone(), scale.interval_kg, checksum)
                    .with_context(|| name("the scale's pseudo terminal"))?;
                endpoints.insert(scale.id.to_string(), format!("serial://{}?{query}", path.display()));
            }
            if let Some(sign) = &lane.sign {
                let address = faces::sign::start(bay.clone()).await?;
                endpoints.insert(sign.id.to_string(), moved(&sign.endpoint, address)?);
            }
        }
    }
    Ok(endpoints)
}

/// The same endpoint at another address.
fn moved(endpoint: &str, to: SocketAddr) -> anyhow::Result<String> {
    let old = Endpoint::parse(endpoint)?;
    let query = endpoint.split_once('?').map_or(String::new(), |(_, q)| format!("?{q}"));
    Ok(format!("{}://{to}{}{query}", old.scheme, old.path))
}

/// Copies the site with its point maps into `run`, keeping their places to one another.
pub fn copy(site_folder: &Path, run: &Path) -> anyhow::Result<PathBuf> {
    let name = site_folder.file_name().context("the site folder has no name")?;
    let to = run.join("config").join("sites").join(name);
    copy_tree(site_folder, &to)?;
    let points = site_folder.join("..").join("..").join("points");
    if points.is_dir() {
        copy_tree(&points, &run.join("config").join("points"))?;
    }
    Ok(to)
}

fn copy_tree(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("{}: cannot be made", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("{}: cannot be read", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)
                .with_context(|| format!("{}: cannot be written", target.display()))?;
        }
    }
    Ok(())
}

/// Where the node's outer world is in the demo.
pub struct Surroundings<'a> {
    /// `https://HOST:PORT` of central's gate port.
    pub central: &'a str,
    /// The broker.
    pub broker: SocketAddr,
    /// The devices by name.
    pub endpoints: &'a BTreeMap<String, String>,
    /// The node's state.
    pub state_dir: PathBuf,
}

/// Rewrites one copied node file.
pub fn rewrite(file: &Path, to: &Surroundings<'_>) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(file)?;
    let mut value: Value = toml::from_str(&text).with_context(|| format!("{}", file.display()))?;
    let text_of = |text: String| Value::String(text);
    set(&mut value, &["state_dir"], text_of(to.state_dir.display().to_string()))?;
    set(&mut value, &["console", "listen"], text_of("127.0.0.1:0".into()))?;
    set(&mut value, &["central", "url"], text_of(to.central.to_owned()))?;
    if value.get("mqtt").is_some() {
        set(&mut value, &["mqtt", "host"], text_of(to.broker.ip().to_string()))?;
        set(&mut value, &["mqtt", "port"], Value::Integer(i64::from(to.broker.port())))?;
    }
    let lanes = value.get_mut("lane").and_then(Value::as_array_mut).context("no lane")?;
    for lane in lanes {
        let table = lane.as_table_mut().context("a lane is no table")?;
        for (key, part) in table.iter_mut() {
            let devices: Vec<&mut Value> = match (key.as_str(), part) {
                ("io" | "exit_io" | "reader" | "scale" | "sign", device) => vec![device],
                ("camera", Value::Array(list)) => list.iter_mut().collect(),
                (_, _) => continue,
            };
            for device in devices {
                let id = device.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                let endpoint =
                    to.endpoints.get(&id).with_context(|| format!("device {id} was not started"))?;
                set(device, &["endpoint"], text_of(endpoint.clone()))?;
            }
        }
    }
    std::fs::write(file, toml::to_string(&value)?)
        .with_context(|| format!("{}: cannot be written", file.display()))
}

fn set(value: &mut Value, path: &[&str], to: Value) -> anyhow::Result<()> {
    let mut at = value;
    for key in path {
        let table = at.as_table_mut().with_context(|| format!("{path:?} is not in a table"))?;
        at = table.entry((*key).to_owned()).or_insert_with(|| Value::Table(toml::Table::new()));
    }
    *at = to;
    Ok(())
}
