//! One crop after the other: aligned, cut out, read, resolved.

use crate::engine::{Engine, FOUND};
use crate::geometry::Quad;
use crate::object::{Attempt, Object};
use crate::reading::Reading;
use crate::type_code;
use gate_types::observation::{CheckDigit, ReadKind};
use lpr_ocr::decode::{Found, ObjectClass};
use opencv::core::Mat;

/// An object that has nothing to read with more than this probability is not read.
const NOTHING: f32 = 0.9;
/// The same for codes, whose check digit tells lettering by itself.
const NO_CODE: f32 = 0.98;

/// A size-type code where none was found must be seen by the aligner with this probability.
const SEEN: f32 = 0.5;

/// Margin at every edge, part of the short side: around the text's corners, and around a box.
const ALIGNED_MARGIN: f32 = 0.12;
const BOX_MARGIN: f32 = 0.10;

impl Engine {
    /// One more crop of an object, while crops are left.
    pub(crate) fn attempt(&mut self, grey: &Mat, o: &mut Object) -> anyhow::Result<()> {
        if self.crops_left == 0 {
            return Ok(());
        }
        let margin = if o.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN };
        let quad = o.quad;
        let cut = match o.next_attempt() {
            None => return Ok(()),
            Some(Attempt::First) => {
                self.align(grey, o)?;
                let nothing = o.nothing > if o.kind == ReadKind::Container { NO_CODE } else { NOTHING };
                if nothing {
                    o.give_up();
                    return Ok(());
                }
                // An object of another kind gets one crop: its text may say that it is what is looked for.
                Some((o.quad, if o.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN }, 0.0))
            }
            Some(Attempt::Margin(other)) => Some((quad, other, 0.02)),
            Some(Attempt::Realign) => {
                let before = o.quad;
                let rough = if o.is_aligned { o.quad.oriented(&o.found) } else { o.found };
                if let Some(quad) = self.nets.align(grey, &rough)?.and_then(|a| a.quad) {
                    (o.quad, o.is_aligned) = (quad, true);
                }
                (o.quad != before).then_some((o.quad, ALIGNED_MARGIN, 0.0))
            }
            Some(Attempt::Turn(angle)) => Some((quad.turned(angle), margin, 0.0)),
            Some(Attempt::OtherWay) => match o.other_way() {
                Some(other) => return self.other_way(grey, o, other),
                None => None,
            },
        };
        if let Some((quad, margin, ends)) = cut {
            let column = o.found.class == ObjectClass::CodeColumn;
            // The one look at an object of another kind takes nothing from those that are looked for.
            self.crops_left -= u32::from(self.wanted.contains(&o.kind));
            if let Some(seen) = self.nets.read(grey, &quad.widened(margin, ends), column)? {
                o.add(&self.resolver, &self.wanted, seen, quad);
            }
            if !self.wanted.contains(&o.kind) {
                o.give_up();
            }
        }
        Ok(())
    }

    /// Finds the text's corners; once more where they lie at the edge of what was looked at.
    fn align(&mut self, grey: &Mat, o: &mut Object) -> anyhow::Result<()> {
        let Some(first) = self.nets.align(grey, &o.found)? else { return Ok(()) };
        o.take(&first);
        if first.at_edge && first.quad.is_some() && first.nothing <= NOTHING {
            let rough = o.quad.oriented(&o.found);
            if let Some(second) = self.nets.align(grey, &rough)? {
                o.take(&second);
            }
        }
        Ok(())
    }

    /// Reads a code's box the other way round; the better way stays.
    fn other_way(&mut self, grey: &Mat, o: &mut Object, other: Found) -> anyhow::Result<()> {
        let mut turned = Object::new(other, o.kind);
        turned.next_attempt();
        self.align(grey, &mut turned)?;
        let margin = if turned.is_aligned { ALIGNED_MARGIN } else { BOX_MARGIN };
        let quad = turned.quad;
        self.crops_left -= 1;
        let column = other.class == ObjectClass::CodeColumn;
        if let Some(seen) = self.nets.read(grey, &quad.widened(margin, 0.0), column)? {
            turned.add(&self.resolver, &self.wanted, seen, quad);
        }
        let log_p = |o: &Object| o.best().map_or(f64::MIN, |r| r.log_p);
        if log_p(&turned) > log_p(o) {
            *o = turned;
        }
        Ok(())
    }

    /// Puts the nearest size-type code to each sure container code.
    pub(crate) fn type_codes(
        &mut self,
        grey: &Mat,
        types: &[Found],
        readings: &mut [Reading],
    ) -> anyhow::Result<()> {
        for r in readings.iter_mut().filter(|r| r.read.kind == ReadKind::Container) {
            if r.read.check_digit != CheckDigit::Valid || r.read.confidence < FOUND {
                continue;
            }
            let found = type_code::nearest(types, &r.quad).copied();
            let mut code = match found {
                Some(found) => self.type_code(grey, &found, false)?,
                None => None,
            };
            if code.is_none()
                && let Some(place) = type_code::customary(&r.quad, r.layout)
            {
                code = self.type_code(grey, &place, true)?;
            }
            r.read.type_code = code;
        }
        Ok(())
    }

    /// The size-type code in a rough box; `doubted`: only where the aligner too sees one there.
    fn type_code(&mut self, grey: &Mat, found: &Found, doubted: bool) -> anyhow::Result<Option<String>> {
        let quad = match self.nets.align(grey, found)? {
            Some(a) if a.nothing > NOTHING => return Ok(None),
            Some(a) if doubted && (a.class != ObjectClass::TypeCode || a.p < SEEN) => return Ok(None),
            Some(a) => a.quad.unwrap_or(Quad::of(found)),
            None => Quad::of(found),
        };
        let seen = self.nets.read(grey, &quad.widened(ALIGNED_MARGIN, 0.0), false)?;
        let code = seen.and_then(|seen| self.resolver.size_type(&[seen]));
        Ok(code.filter(|c| c.confidence >= type_code::LEAST).map(|c| c.text))
    }
}
