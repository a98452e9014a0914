//! What it costs to read one character as another: a table as sites keep it for a camera and as the journal
//! keeps it. Text form: lines of two characters and nats (natural logarithm of how seldom it happens among
//! misreadings); `#` begins a comment.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A table has at most this many pairs: all of 36 letters and digits are 630.
const MOST_PAIRS: usize = 700;
/// Most nats of a pair: dearer than one in a thousand is no confusion.
const MOST_NATS: f64 = 7.0;

/// Costs by pair of characters, each pair once with the lesser character first (`8B`), nats in 0..=7.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConfusionTable(BTreeMap<String, f64>);

fn key(a: char, b: char) -> String {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    [a, b].into_iter().collect()
}

impl ConfusionTable {
    /// Reads the text form, or tells every line that is none: with its number, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<String>> {
        let (mut table, mut wrong) = (Self::default(), Vec::new());
        for (n, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split('#').next().unwrap_or_default().split_whitespace().collect();
            if words.is_empty() {
                continue;
            }
            match pair(&words) {
                Ok((a, b, nats)) if table.0.contains_key(&key(a, b)) => {
                    wrong.push(format!(
                        "line {}: the pair {a} {b} ({nats} nats) stands twice; keep one",
                        n + 1
                    ));
                }
                Ok((a, b, nats)) => table.put(a, b, nats),
                Err(why) => wrong.push(format!("line {}: {why}", n + 1)),
            }
        }
        if table.0.len() > MOST_PAIRS {
            wrong.push(format!("{} pairs are more than {MOST_PAIRS}", table.0.len()));
        }
        if wrong.is_empty() { Ok(table) } else { Err(wrong) }
    }
    /// The text form.
    pub fn print(&self) -> String {
        self.pairs().map(|(a, b, nats)| format!("{a} {b} {nats:.3}\n")).collect()
    }
    /// Sets one pair's cost, nats; what is no cost is left out.
    pub fn put(&mut self, a: char, b: char, nats: f64) {
        if (0.0..=MOST_NATS).contains(&nats) {
            self.0.insert(key(a, b), nats);
        }
    }
    /// The pairs with their costs, nats.
    pub fn pairs(&self) -> impl Iterator<Item = (char, char, f64)> + '_ {
        self.0.iter().filter_map(|(key, nats)| {
            let mut chars = key.chars();
            Some((chars.next()?, chars.next()?, *nats))
        })
    }
    /// How many pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// No pair.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn pair(words: &[&str]) -> Result<(char, char, f64), String> {
    let [a, b, nats] = words else {
        return Err("is not two characters and nats, such as `8 B 1.386`".to_owned());
    };
    let one = |word: &str| {
        let mut chars = word.chars();
        let first = chars.next().filter(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        first.filter(|_| chars.next().is_none()).ok_or(format!("`{word}` is not one capital letter or digit"))
    };
    let (a, b) = (one(a)?, one(b)?);
    if a == b {
        return Err(format!("`{a}` read as itself costs nothing; remove the line"));
    }
    match nats.parse::<f64>() {
        Ok(n) if (0.0..=MOST_NATS).contains(&n) => Ok((a, b, n)),
        Ok(_) | Err(_) => Err(format!("`{nats}` is not a cost of 0 to {MOST_NATS} nats")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_reads_as_it_prints_and_tells_every_wrong_line() {
        let table = ConfusionTable::parse("# eyes\nB 8 1.4\n0 O 1.386 # round\n\n").unwrap();
        assert_eq!(table.print(), "0 O 1.386\n8 B 1.400\n");
        assert_eq!(ConfusionTable::parse(&table.print()), Ok(table));
        let wrong = "8 B\nb 8 1\nA A 1\n0 O 99\n0 O NaN\nXY Z 1\n1 I 1\nI 1 2\n";
        let told = ConfusionTable::parse(wrong).unwrap_err();
        assert_eq!(told.len(), 7, "{told:?}");
        assert!(told[0].starts_with("line 1:") && told[6].contains("twice"), "{told:?}");
    }
}
