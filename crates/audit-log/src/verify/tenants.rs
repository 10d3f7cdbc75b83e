//! Whether something is withheld from a tenant.

use std::collections::HashMap;

use super::EntryFault;

/// The most tenants of one verification, each of which is kept in memory, in some 200 bytes.
pub const MAX_TENANTS: usize = 1_000_000;

/// The next `tn` of each tenant.
#[derive(Debug, Default)]
pub(super) struct Tenants {
    known: HashMap<Box<str>, Tenant>,
    /// How many entries nobody saw: before the range, pruned, missing or changed. They may be of any tenant.
    unseen: u64,
}

#[derive(Debug, Default)]
struct Tenant {
    next: u64,
    /// How many entries nobody had seen when one of it was.
    unseen: u64,
}

/// There is no room for another.
#[derive(Debug)]
pub(super) struct TooMany;

impl Tenants {
    pub(super) const fn skip(&mut self, entries: u64) {
        self.unseen += entries;
    }

    /// Takes note of a leaf: what is wrong with its `tn`, if something is.
    pub(super) fn check(
        &mut self,
        tenant: &str,
        in_tenant: u64,
    ) -> Result<Option<EntryFault>, TooMany> {
        let (unseen, is_full) = (self.unseen, self.known.len() == MAX_TENANTS);
        let known = match self.known.get_mut(tenant) {
            Some(known) => known,
            None if is_full => return Err(TooMany),
            None => self.known.entry(tenant.into()).or_default(),
        };
        // At most as many are missing of it as nobody saw since.
        let most = known.next.saturating_add(unseen - known.unseen);
        let is_right = (known.next..=most).contains(&in_tenant);
        let expected = known.next;
        *known = Tenant {
            next: in_tenant.saturating_add(1),
            unseen,
        };
        Ok((!is_right).then_some(EntryFault::WrongTenantIndex {
            expected,
            found: in_tenant,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn wrong(expected: u64, found: u64) -> Option<EntryFault> {
        Some(EntryFault::WrongTenantIndex { expected, found })
    }

    #[test]
    fn a_gap_is_found_wherever_nothing_explains_it() {
        let mut tenants = Tenants::default();
        assert_eq!(tenants.check("a", 0).unwrap(), None);
        assert_eq!(tenants.check("a", 1).unwrap(), None);
        assert_eq!(tenants.check("a", 3).unwrap(), wrong(2, 3));
        assert_eq!(tenants.check("b", 1).unwrap(), wrong(0, 1));
        // It is told once.
        assert_eq!(tenants.check("a", 4).unwrap(), None);
        assert_eq!(tenants.check("a", 4).unwrap(), wrong(5, 4));
    }

    #[test]
    fn what_nobody_saw_explains_as_many_as_it_has() {
        let mut tenants = Tenants::default();
        tenants.skip(3);
        assert_eq!(tenants.check("a", 3).unwrap(), None);
        assert_eq!(tenants.check("b", 4).unwrap(), wrong(0, 4));
        tenants.skip(2);
        assert_eq!(tenants.check("a", 7).unwrap(), wrong(4, 7));
        tenants.skip(2);
        assert_eq!(tenants.check("a", 10).unwrap(), None);
        assert_eq!(tenants.check("a", 12).unwrap(), wrong(11, 12));
        // Never back.
        tenants.skip(9);
        assert_eq!(tenants.check("a", 5).unwrap(), wrong(13, 5));
    }

    #[test]
    fn there_is_room_for_a_million() {
        let mut tenants = Tenants::default();
        for n in 0..MAX_TENANTS {
            tenants.check(&n.to_string(), 0).unwrap();
        }
        assert!(tenants.check("one more", 0).is_err());
        assert_eq!(tenants.check("0", 1).unwrap(), None);
    }
}
