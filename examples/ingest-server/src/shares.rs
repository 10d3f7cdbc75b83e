//! What many holders share: so many units in total, of which one holder gets at most a quarter, so
//! that it cannot shut the others out. Nothing here waits.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A number of units, and who holds how many of them. Clones share them.
#[derive(Debug)]
pub(crate) struct Shares<H: Holder> {
    total: usize,
    taken: Arc<Mutex<Taken<H>>>,
}

/// Who can hold a share.
pub(crate) trait Holder: Clone + Eq + Hash {}

impl<H: Clone + Eq + Hash> Holder for H {}

/// Units that are held until this is dropped.
#[derive(Debug)]
pub(crate) struct Share<H: Holder> {
    shares: Shares<H>,
    /// None counts in the total alone.
    holder: Option<H>,
    units: usize,
}

/// There are not so many units left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Exceeded {
    /// The holder would have more than a quarter of all.
    #[error("the holder has its share")]
    Own,
    /// All holders together would have more than there is.
    #[error("everything is taken")]
    Total,
}

#[derive(Debug)]
struct Taken<H> {
    total: usize,
    by: HashMap<H, usize>,
}

impl<H: Holder> Shares<H> {
    pub(crate) fn new(total: usize) -> Self {
        let taken = Taken {
            total: 0,
            by: HashMap::new(),
        };
        Self {
            total,
            taken: Arc::new(Mutex::new(taken)),
        }
    }

    /// The most that one holder gets.
    pub(crate) fn quarter(&self) -> usize {
        (self.total / 4).max(1)
    }

    pub(crate) const fn total(&self) -> usize {
        self.total
    }

    /// How many units are held.
    pub(crate) fn taken(&self) -> usize {
        self.lock().total
    }

    /// Units for a holder, or for somebody who is no holder and is bounded by the total alone.
    pub(crate) fn take(&self, holder: Option<H>, units: usize) -> Result<Share<H>, Exceeded> {
        let mut taken = self.lock();
        self.fits(&taken, holder.as_ref(), units, units)?;
        taken.total += units;
        taken.add(holder.as_ref(), units);
        drop(taken);
        Ok(Share {
            shares: self.clone(),
            holder,
            units,
        })
    }

    /// Whether a holder may have so many more, `new` of which nobody has yet.
    fn fits(
        &self,
        taken: &Taken<H>,
        holder: Option<&H>,
        more: usize,
        new: usize,
    ) -> Result<(), Exceeded> {
        if let Some(holder) = holder {
            let has = taken.by.get(holder).copied().unwrap_or_default();
            if more > self.quarter().saturating_sub(has) {
                return Err(Exceeded::Own);
            }
        }
        if new > self.total.saturating_sub(taken.total) {
            return Err(Exceeded::Total);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Taken<H>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Holder> Share<H> {
    pub(crate) const fn units(&self) -> usize {
        self.units
    }

    /// Takes more units.
    pub(crate) fn grow(&mut self, units: usize) -> Result<(), Exceeded> {
        let mut taken = self.shares.lock();
        self.shares
            .fits(&taken, self.holder.as_ref(), units, units)?;
        taken.total += units;
        taken.add(self.holder.as_ref(), units);
        self.units += units;
        Ok(())
    }

    /// Gives units back.
    pub(crate) fn shrink(&mut self, units: usize) {
        let units = units.min(self.units);
        let mut taken = self.shares.lock();
        taken.total -= units;
        taken.remove(self.holder.as_ref(), units);
        self.units -= units;
    }

    /// Counts the units for another holder from now on; if that one has its share, nothing changes.
    pub(crate) fn pass_to(&mut self, holder: H) -> Result<(), Exceeded> {
        if self.holder.as_ref() == Some(&holder) {
            return Ok(());
        }
        let mut taken = self.shares.lock();
        self.shares.fits(&taken, Some(&holder), self.units, 0)?;
        taken.add(Some(&holder), self.units);
        let before = self.holder.replace(holder);
        taken.remove(before.as_ref(), self.units);
        Ok(())
    }
}

impl<H: Holder> Clone for Shares<H> {
    fn clone(&self) -> Self {
        Self {
            total: self.total,
            taken: Arc::clone(&self.taken),
        }
    }
}

impl<H: Holder> Drop for Share<H> {
    fn drop(&mut self) {
        self.shrink(self.units);
    }
}

impl<H: Holder> Taken<H> {
    fn add(&mut self, holder: Option<&H>, units: usize) {
        if let Some(holder) = holder
            && units > 0
        {
            *self.by.entry(holder.clone()).or_default() += units;
        }
    }

    fn remove(&mut self, holder: Option<&H>, units: usize) {
        let Some(holder) = holder else {
            return;
        };
        if let Some(has) = self.by.get_mut(holder) {
            *has -= units;
            if *has == 0 {
                self.by.remove(holder);
            }
        }
    }
}

#[cfg(test)]
mod tests;
