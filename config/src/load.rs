//! Reading files, and the list of everything that is wrong with them.

use crate::read::read;
use crate::rules::{self, RuleSets};
use crate::{NodeConfig, Site, check};
use gate_types::rules::RuleSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The place in it: `lane[0].timers.clear_ms`, or a line.
    pub path: String,
    /// What is wrong and what to do.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file.display(), self.path, self.text)
    }
}

/// Everything that is wrong, never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

/// A node file with the site file that it names.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The site.
    pub site: Site,
    /// The node, with `site`, `state_dir`, `points` and `models` made absolute or relative to the caller.
    pub node: NodeConfig,
    /// The node file's folder.
    pub folder: PathBuf,
    /// The site's rule sets.
    pub rules: RuleSets,
}

/// Reads and checks a site file with the rule files that it names.
pub fn load_site(file: &Path) -> Result<Site, Problems> {
    let SiteFiles { site, sets: _, problems } = site_files(file);
    match site {
        Some(site) if problems.is_empty() => Ok(site),
        Some(_) | None => Err(Problems(problems)),
    }
}

/// A site with its rule sets, as far as they could be read, and all problems of all these files.
struct SiteFiles {
    /// The site, where nothing is wrong with its own file.
    site: Option<Site>,
    sets: Vec<(PathBuf, RuleSet)>,
    problems: Vec<Problem>,
}

fn site_files(file: &Path) -> SiteFiles {
    let site: Site = match read(file) {
        Ok(site) => site,
        Err(Problems(problems)) => return SiteFiles { site: None, sets: Vec::new(), problems },
    };
    let mut problems = check::site(&site, file);
    let sound = problems.is_empty();
    let (sets, wrong) = rules::of_site(&site, file);
    problems.extend(wrong);
    SiteFiles { site: sound.then_some(site), sets, problems }
}

/// Reads and checks a node file and its site file. Problems of both are reported together.
pub fn load_node(file: &Path) -> Result<Loaded, Problems> {
    let mut node: NodeConfig = read(file)?;
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    node.site = folder.join(&node.site);
    node.state_dir = folder.join(&node.state_dir);
    for lane in &mut node.lanes {
        for io in std::iter::once(&mut lane.io).chain(&mut lane.exit_io) {
            io.points = folder.join(&io.points);
        }
        for file in lane.cameras.iter_mut().filter_map(|c| c.confusions.as_mut()) {
            *file = folder.join(&*file);
        }
    }
    if let Some(models) = node.ocr.as_mut().and_then(|o| o.models.as_mut()) {
        *models = folder.join(&*models);
    }
    let SiteFiles { site, sets, mut problems } = site_files(&node.site);
    problems.extend(check::node(&node, site.as_ref(), &sets, file));
    match site {
        Some(site) if problems.is_empty() => {
            let rules = RuleSets(sets.into_iter().map(|(_, set)| set).collect());
            Ok(Loaded { site, node, folder, rules })
        }
        Some(_) | None => Err(Problems(problems)),
    }
}
