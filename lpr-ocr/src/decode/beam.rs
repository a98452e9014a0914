//! Prefix beam search over the reader's output, with a language that says how a text may go on.

/// Classes of the reader: blank and 36 symbols.
pub const CLASSES: usize = 37;
/// Steps of the reader: 48 of line A, 48 of line B.
pub const STEPS: usize = 96;
/// First step of line B; a line break separates equal characters as a blank does.
pub const LINE_B: usize = 48;
/// Probabilities below this are raised to it, so that one bad step never rules a text out.
const FLOOR: f64 = 1e-7;

/// Says which texts are possible, one character at a time.
pub trait Language {
    /// What must be remembered of a prefix.
    type State: Copy;
    /// The state of the empty text.
    fn start(&self) -> Self::State;
    /// The state after one more symbol, or `None` where the text may not go on so.
    fn step(&self, state: Self::State, len: usize, symbol: u8) -> Option<Self::State>;
    /// Whether a text may end here.
    fn complete(&self, state: Self::State, len: usize) -> bool;
}

/// Every text up to a length.
#[derive(Debug, Clone, Copy)]
pub struct Free {
    /// Longest text.
    pub longest: usize,
}

impl Language for Free {
    type State = ();
    fn start(&self) {}
    fn step(&self, (): (), len: usize, _: u8) -> Option<()> {
        (len < self.longest).then_some(())
    }
    fn complete(&self, (): (), _: usize) -> bool {
        true
    }
}

/// Why a tensor is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("reader output has {found} values, expected {CLASSES} x {STEPS} finite ones")]
pub struct ShapeError {
    /// Values (finite ones) that were there.
    pub found: usize,
}

/// Probabilities per step and class.
#[derive(Debug, Clone)]
pub struct Probabilities(Vec<[f64; CLASSES]>);

impl Probabilities {
    /// Softmax of raw logits laid out `[37, 96]`.
    pub fn from_logits(logits: &[f32]) -> Result<Self, ShapeError> {
        let finite = logits.iter().filter(|v| v.is_finite()).count();
        if logits.len() != CLASSES * STEPS || finite != logits.len() {
            return Err(ShapeError { found: finite });
        }
        let mut steps = Vec::with_capacity(STEPS);
        for t in 0..STEPS {
            let mut row = [0.0; CLASSES];
            let mut top = f64::MIN;
            for (c, p) in row.iter_mut().enumerate() {
                *p = f64::from(logits[c * STEPS + t]);
                top = top.max(*p);
            }
            let mut sum = 0.0;
            for p in &mut row {
                *p = (*p - top).exp();
                sum += *p;
            }
            for p in &mut row {
                *p = (*p / sum).max(FLOOR);
            }
            steps.push(row);
        }
        Ok(Self(steps))
    }
    /// The best class of every step, repeats and blanks taken out: the text without any rule, and how
    /// many of its characters stand in line A.
    pub fn greedy(&self) -> (Vec<u8>, usize) {
        let (mut out, mut last, mut line_a) = (Vec::new(), 0, 0);
        for (t, row) in self.0.iter().enumerate() {
            if t == LINE_B {
                (last, line_a) = (0, out.len());
            }
            let best = (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
            if best != 0 && best != last {
                out.push(best as u8 - 1);
            }
            last = best;
        }
        (out, line_a)
    }
}

/// Where the text lies in a crop, in parts of its width.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Centre of the first character.
    pub first: f32,
    /// Centre of the last character.
    pub last: f32,
    /// From character to character.
    pub pitch: f32,
    /// Characters of both lines.
    pub count: usize,
}

impl Probabilities {
    /// Where the text lies, over both lines; `None` for fewer than three characters in a line.
    pub fn extent(&self) -> Option<Extent> {
        let mut whole: Option<(Extent, usize)> = None;
        for line in self.0.chunks(LINE_B) {
            let mut peaks: Vec<f32> = Vec::new();
            let (mut last, mut from) = (0, 0);
            for (t, row) in line.iter().enumerate() {
                let best = (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0);
                if best != last {
                    from = t;
                }
                if best != 0 {
                    let centre = (from + t + 1) as f32 / 2.0 / LINE_B as f32;
                    match peaks.last_mut().filter(|_| best == last) {
                        Some(peak) => *peak = centre,
                        None => peaks.push(centre),
                    }
                }
                last = best;
            }
            let (Some(&first), Some(&end), 3..) = (peaks.first(), peaks.last(), peaks.len()) else {
                continue;
            };
            let one = Extent {
                first,
                last: end,
                pitch: (end - first) / (peaks.len() - 1) as f32,
                count: peaks.len(),
            };
            whole = Some(match whole {
                None => (one, peaks.len()),
                Some((other, n)) => {
                    let pitch = if n >= peaks.len() { other.pitch } else { one.pitch };
                    let count = other.count + one.count;
                    let both = Extent {
                        first: other.first.min(one.first),
                        last: other.last.max(one.last),
                        pitch,
                        count,
                    };
                    (both, n.max(peaks.len()))
                }
            });
        }
        whole.map(|w| w.0)
    }
}

/// A text and the natural logarithm of its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// Symbol numbers.
    pub symbols: Vec<u8>,
    /// ln p, at most 0.
    pub log_p: f64,
}

struct Node<S> {
    parent: u32,
    symbol: u8,
    len: u8,
    state: S,
    /// 0: not made yet; [`REFUSED`]: the language does not go on so.
    children: [u32; 36],
    /// Probability of ending in blank and of ending in the last symbol, after the step in work.
    next: (f64, f64),
    /// Whether the node is in the list of the step in work.
    listed: bool,
}

impl<S> Node<S> {
    fn new(parent: u32, symbol: u8, len: u8, state: S) -> Self {
        Self { parent, symbol, len, state, children: [0; 36], next: (0.0, 0.0), listed: false }
    }
}

const NO_SYMBOL: u8 = u8::MAX;
const REFUSED: u32 = u32::MAX;
/// Symbols less probable than this at a step start no character there.
const WORTH: f64 = 2e-5;

/// The most probable complete texts of a language, best first, at most `width`.
pub fn search<L: Language>(p: &Probabilities, language: &L, width: usize) -> Vec<Scored> {
    let mut nodes = vec![Node::new(0, NO_SYMBOL, 0, language.start())];
    // node, probability of ending in blank, probability of ending in its last symbol
    let mut beam: Vec<(u32, f64, f64)> = vec![(0, 1.0, 0.0)];
    let mut list: Vec<u32> = Vec::new();
    let mut scale = 0.0;
    for (t, row) in p.0.iter().enumerate() {
        if t == LINE_B {
            for entry in &mut beam {
                *entry = (entry.0, entry.1 + entry.2, 0.0);
            }
        }
        list.clear();
        let worth: Vec<u8> = (0..36u8).filter(|c| row[usize::from(*c) + 1] >= WORTH).collect();
        for &(at, blank, symbol) in &beam {
            let all = blank + symbol;
            let node = &mut nodes[at as usize];
            node.next.0 += all * row[0];
            let (last, len, state) = (node.symbol, node.len, node.state);
            if last != NO_SYMBOL {
                node.next.1 += symbol * row[usize::from(last) + 1];
            }
            if !node.listed {
                node.listed = true;
                list.push(at);
            }
            for &c in &worth {
                let mass = if c == last { blank } else { all } * row[usize::from(c) + 1];
                let mut child = nodes[at as usize].children[usize::from(c)];
                if child == 0 {
                    child = match language.step(state, usize::from(len), c) {
                        Some(state) => {
                            nodes.push(Node::new(at, c, len + 1, state));
                            (nodes.len() - 1) as u32
                        }
                        None => REFUSED,
                    };
                    nodes[at as usize].children[usize::from(c)] = child;
                }
                if child == REFUSED || mass <= 0.0 {
                    continue;
                }
                let child_node = &mut nodes[child as usize];
                child_node.next.1 += mass;
                if !child_node.listed {
                    child_node.listed = true;
                    list.push(child);
                }
            }
        }
        beam.clear();
        for &at in &list {
            let node = &mut nodes[at as usize];
            beam.push((at, node.next.0, node.next.1));
            (node.next, node.listed) = ((0.0, 0.0), false);
        }
        // Ties are broken by node number: the same input gives the same answer every time.
        let order = |a: &(u32, f64, f64), b: &(u32, f64, f64)| {
            (b.1 + b.2).total_cmp(&(a.1 + a.2)).then(a.0.cmp(&b.0))
        };
        if beam.len() > width {
            beam.select_nth_unstable_by(width, order);
            beam.truncate(width);
        }
        let best = beam.iter().map(|e| e.1 + e.2).fold(0.0, f64::max);
        if best <= 0.0 {
            return Vec::new();
        }
        scale += best.ln();
        for entry in &mut beam {
            entry.1 /= best;
            entry.2 /= best;
        }
    }
    beam.retain(|e| {
        let node = &nodes[e.0 as usize];
        e.1 + e.2 > 0.0 && language.complete(node.state, usize::from(node.len))
    });
    beam.sort_unstable_by(|a, b| (b.1 + b.2).total_cmp(&(a.1 + a.2)).then(a.0.cmp(&b.0)));
    beam.iter()
        .map(|&(at, blank, symbol)| {
            let mut symbols = Vec::new();
            let mut at = at;
            while at != 0 {
                symbols.push(nodes[at as usize].symbol);
                at = nodes[at as usize].parent;
            }
            symbols.reverse();
            Scored { symbols, log_p: ((blank + symbol).ln() + scale).min(0.0) }
        })
        .collect()
}

/// Logits of a text that the reader would be sure of, `strength` apart; for tests and self-checks.
/// Each character stands at one step with a blank after it; `line_a` characters stand in line A.
pub fn made_logits(text: &str, line_a: usize, strength: f32) -> Vec<f32> {
    let mut logits = vec![0.0; CLASSES * STEPS];
    logits[..STEPS].fill(strength);
    for (i, c) in text.bytes().enumerate() {
        let t = if i < line_a { 2 * i + 1 } else { LINE_B + 2 * (i - line_a) + 1 };
        if let (Some(s), true) = (super::symbol_of(c), t < STEPS) {
            logits[t] = 0.0;
            logits[(usize::from(s) + 1) * STEPS + t] = strength;
        }
    }
    logits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::text_of;

    fn probabilities(logits: &[f32]) -> Probabilities {
        Probabilities::from_logits(logits).unwrap()
    }

    #[test]
    fn a_clear_text_is_found_with_its_probability() {
        let p = probabilities(&made_logits("AB1123", 3, 20.0));
        let found = search(&p, &Free { longest: 12 }, 8);
        assert_eq!(text_of(&found[0].symbols), "AB1123");
        assert!(found[0].log_p > -0.01, "{}", found[0].log_p);
        let (greedy, line_a) = p.greedy();
        assert_eq!((text_of(&greedy).as_str(), line_a), ("AB1123", 3));
    }

    #[test]
    fn equal_characters_at_a_line_break_stay_two() {
        let mut logits = vec![0.0; CLASSES * STEPS];
        logits[..STEPS].fill(20.0);
        for t in [LINE_B - 1, LINE_B] {
            logits[t] = 0.0;
            logits[2 * STEPS + t] = 20.0;
        }
        let found = search(&probabilities(&logits), &Free { longest: 12 }, 8);
        assert_eq!(text_of(&found[0].symbols), "11");
    }

    #[test]
    fn probability_of_all_texts_sums_to_one_over_a_wide_beam() {
        // At 14 the 35 other symbols of all 96 steps together hold less than 1 % and may be pruned.
        let mut logits = made_logits("7", 1, 14.0);
        logits[9 * STEPS + 1] = 14.0; // 8 as probable as 7
        let found = search(&probabilities(&logits), &Free { longest: 3 }, 200);
        let sum: f64 = found.iter().map(|s| s.log_p.exp()).sum();
        assert!((sum - 1.0).abs() < 0.02, "{sum}");
        assert!((found[0].log_p - 0.5f64.ln()).abs() < 0.05);
    }

    #[test]
    fn the_extent_is_where_the_characters_stand() {
        let e = probabilities(&made_logits("AB12CD", 6, 20.0)).extent().unwrap();
        assert!((e.first - 1.5 / 48.0).abs() < 1e-4 && (e.last - 11.5 / 48.0).abs() < 1e-4, "{e:?}");
        assert!((e.pitch - 2.0 / 48.0).abs() < 1e-4);
        assert_eq!(probabilities(&made_logits("AB", 2, 20.0)).extent(), None);
    }

    #[test]
    fn a_wrong_shape_or_a_nan_is_an_error() {
        assert!(Probabilities::from_logits(&[0.0; 7]).is_err());
        let mut logits = vec![0.0; CLASSES * STEPS];
        logits[5] = f32::NAN;
        assert_eq!(Probabilities::from_logits(&logits).unwrap_err().found, CLASSES * STEPS - 1);
    }
}
