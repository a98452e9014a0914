//! Rule files: which of a site's rule sets acts in a lane, and which is recorded beside it.

use crate::check;
use crate::read::read;
use crate::{Problem, Problems, Site};
use gate_types::rules::{RuleMode, RuleSet};
use gate_types::{LaneId, NodeId};
use std::path::{Path, PathBuf};

/// The rule sets that a site file names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RuleSets(pub Vec<RuleSet>);

impl RuleSets {
    /// The one that acts in a lane, and those that are recorded beside it. Without a file for the lane the
    /// built-in rule set acts.
    pub fn of_lane(&self, node: &NodeId, lane: &LaneId) -> (RuleSet, Vec<RuleSet>) {
        let here = || self.0.iter().filter(|set| set.scope.covers(node, lane));
        let acting = here().find(|set| set.mode != RuleMode::Shadow).cloned();
        let beside = here().filter(|set| set.mode == RuleMode::Shadow).cloned().collect();
        (acting.unwrap_or_else(RuleSet::built_in), beside)
    }
}

/// Reads and checks one rule file by itself; what needs the site it belongs to is checked with the site.
pub fn load_rules(file: &Path) -> Result<RuleSet, Problems> {
    let set: RuleSet = read(file)?;
    let problems = check::rule_set(&set, file);
    if problems.is_empty() { Ok(set) } else { Err(Problems(problems)) }
}

/// Reads the rule files of a site. The sets that could be read come with all problems of all files.
pub(crate) fn of_site(site: &Site, site_file: &Path) -> (Vec<(PathBuf, RuleSet)>, Vec<Problem>) {
    let folder = site_file.parent().unwrap_or(Path::new(""));
    let (mut sets, mut problems) = (Vec::new(), Vec::new());
    for name in &site.rules {
        let file = folder.join(name);
        match read::<RuleSet>(&file) {
            Ok(set) => {
                problems.extend(check::rule_set(&set, &file));
                sets.push((file, set));
            }
            Err(Problems(found)) => problems.extend(found),
        }
    }
    problems.extend(check::rule_sets(&sets, site));
    (sets, problems)
}
