//! The rotations of the model, each between what it has read and what it does.

use std::collections::BTreeSet;

use super::{
    super::super::machine::{Next, next},
    Broken, Record, Row, Rule, World, time, version,
};
use crate::{IndexPhase, IndexState, IndexVersion};

/// What a rotation is about to do, on what it has read.
#[derive(Debug, Clone)]
pub(super) enum Staged {
    Replace(IndexState, IndexState),
    DeleteThen(Option<(IndexState, IndexVersion)>),
    Index(Record, Row, IndexVersion),
}

impl World {
    /// A rotation does what it was about to do, or reads where things are and decides what to do.
    pub(in super::super) fn rotate(&mut self, rotation: usize) -> Result<(), Broken> {
        let at = rotation % self.rotations.len();
        let next = match self.rotations[at].take() {
            None => self.stage(),
            // It was held up for so long that the database has rolled it back.
            Some((staged_at, staged)) if self.is_rolled_back(staged_at, &staged) => None,
            Some((_, staged)) => self.act(staged)?,
        };
        self.rotations[at] = next.map(|staged| (self.now, staged));
        Ok(())
    }

    /// A person gives up the rotation.
    pub(in super::super) fn abandon(&mut self, rotation: usize) {
        let at = rotation % self.rotations.len();
        let mut others = self.stored.live().into_iter();
        let abandoned = others.find_map(|it| self.stored.abandon(it, self.wall()).ok());
        if let Some(new) = abandoned {
            let replace = Staged::Replace(self.stored.clone(), new);
            self.rotations[at] = Some((self.now, replace));
        }
    }

    fn is_rolled_back(&self, staged_at: u64, staged: &Staged) -> bool {
        let waited = self.now - staged_at;
        match staged {
            Staged::Replace(..) => waited > 15 && self.rule != Rule::PhasesStoredLate,
            Staged::Index(..) => waited > 30,
            Staged::DeleteThen(_) => false,
        }
    }

    fn stage(&mut self) -> Option<Staged> {
        let (state, enforced) = (self.stored.clone(), self.stored.enforced()?);
        let others = state.live().into_iter().filter(|it| *it != enforced);
        let written =
            |it: &IndexVersion| matches!(state.phase(*it), Some((IndexPhase::Written, _)));
        // One that is under way is ended, and then the next begins.
        let is_alone = state.live().len() == 1;
        let target = others.into_iter().find(written).unwrap_or(enforced);
        match self.next(&state, target) {
            Next::NotStarted | Next::Other(_) => unreachable!("one rotation is under way at most"),
            Next::Wait(_) => None,
            Next::Finish if is_alone => {
                let next = version(u32::from(enforced.value()) + 1);
                Some(Staged::DeleteThen(Some((state, next))))
            }
            Next::Begin | Next::Finish => Some(Staged::DeleteThen(None)),
            Next::Enforce { former } => {
                let lacking = self.lacking(former, target);
                if let Some(record) = lacking
                    && self.rule != Rule::EnforceWithoutBackfill
                {
                    return Some(Staged::Index(record, self.rows[&record], target));
                }
                let mut new = state.enforce(target, self.wall()).expect("it is written");
                if self.rule == Rule::EnforceWithoutRetiring {
                    new = new.retire(former, self.wall()).expect("it is retiring");
                }
                Some(Staged::Replace(state, new))
            }
            Next::Retire { former } => {
                let new = state.retire(former, self.wall()).expect("it is retiring");
                Some(Staged::Replace(state, new))
            }
        }
    }

    /// The machine's next step, by the clock of the rule.
    fn next(&self, state: &IndexState, target: IndexVersion) -> Next {
        let at_once = next(state, target, time(self.now + 60));
        let soon = next(state, target, time(self.now + 50));
        match (self.rule, at_once) {
            (Rule::BackfillAtOnce, Next::Enforce { .. })
            | (Rule::RetireAtOnce, Next::Retire { .. })
            | (Rule::DeleteAtOnce, Next::Finish) => at_once,
            (Rule::PhasesOfTenSeconds, _) => soon,
            _ => next(state, target, self.wall()),
        }
    }

    fn act(&mut self, staged: Staged) -> Result<Option<Staged>, Broken> {
        match staged {
            Staged::Replace(expected, new) => self.replace(&expected, new),
            Staged::Index(record, read, version) => {
                let is_as_read = self.rows.get(&record) == Some(&read);
                if self.rows.contains_key(&record)
                    && (is_as_read || self.rule == Rule::BackfillOverwrites)
                {
                    let other = self.index.insert((version, read.address), record);
                    if other.is_some_and(|other| other != record) {
                        return Err(format!("{record} and {other:?} both have {}", read.address));
                    }
                }
            }
            Staged::DeleteThen(then) => {
                let stored = self.stored.live();
                self.index
                    .retain(|(version, _), _| stored.contains(version));
                if let Some((expected, next)) = then {
                    self.begun += 1;
                    let begun = expected.begin(next, self.wall());
                    let begun = begun.expect("one was live");
                    return Ok(Some(Staged::Replace(expected, begun)));
                }
            }
        }
        Ok(None)
    }

    fn replace(&mut self, expected: &IndexState, new: IndexState) {
        if self.stored == *expected {
            self.stored = new;
        }
    }

    fn lacking(&self, former: IndexVersion, target: IndexVersion) -> Option<Record> {
        let has = |version| -> BTreeSet<Record> {
            let of = self.index.iter().filter(|((it, _), _)| *it == version);
            of.map(|(_, record)| *record).collect()
        };
        has(former).difference(&has(target)).next().copied()
    }
}
