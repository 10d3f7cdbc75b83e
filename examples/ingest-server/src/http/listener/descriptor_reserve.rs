//! File descriptors that are kept for the listener of operators: with all others used up, its
//! health can still be asked for.

use std::{
    fs::File,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::io::Errno;

/// Descriptors that are open and not used, so that one can be closed when one is needed. They are
/// opened first, and so have low numbers: the limit can be lowered while the process runs.
#[derive(Debug, Clone)]
pub(crate) struct DescriptorReserve {
    spare: Arc<Mutex<Vec<File>>>,
    kept: usize,
}

/// What a listener does when there is no descriptor for another connection.
#[derive(Debug, Clone)]
pub(crate) enum OutOfDescriptors {
    /// Waits, also until the reserve is whole again.
    Wait(DescriptorReserve),
    /// Uses the reserve.
    UseReserve(DescriptorReserve),
}

impl DescriptorReserve {
    pub(crate) fn new(kept: usize) -> Self {
        let reserve = Self {
            spare: Arc::default(),
            kept,
        };
        reserve.refill();
        reserve
    }

    /// Opens what is missing, and tells whether nothing is.
    pub(super) fn refill(&self) -> bool {
        let mut spare = self.lock();
        while spare.len() < self.kept {
            let another = match spare.last() {
                Some(open) => open.try_clone(),
                None => File::open("/dev/null"),
            };
            match another {
                Ok(file) => spare.push(file),
                Err(_) => return false,
            }
        }
        true
    }

    /// Closes one; false if there is none left.
    fn give_up(&self) -> bool {
        self.lock().pop().is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<File>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutOfDescriptors {
    /// Whether another connection may be accepted now.
    pub(super) fn may_accept(&self) -> bool {
        match self {
            Self::Wait(reserve) => reserve.refill(),
            Self::UseReserve(_) => true,
        }
    }

    /// Called when a connection was not accepted: whether to try again at once.
    pub(super) fn make_room(&self, error: &io::Error) -> bool {
        let is_out = [Errno::MFILE, Errno::NFILE]
            .iter()
            .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()));
        match self {
            Self::UseReserve(reserve) if is_out => reserve.give_up(),
            _ => false,
        }
    }

    /// Called when a connection has ended.
    pub(super) fn restore(&self) {
        if let Self::UseReserve(reserve) = self {
            reserve.refill();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_given_up_one_by_one_and_only_for_want_of_descriptors() {
        let reserve = DescriptorReserve::new(2);
        let admin = OutOfDescriptors::UseReserve(reserve.clone());
        let public = OutOfDescriptors::Wait(reserve.clone());
        let out = io::Error::from_raw_os_error(Errno::MFILE.raw_os_error());
        let aborted = io::Error::from_raw_os_error(Errno::CONNABORTED.raw_os_error());
        assert!(!admin.make_room(&aborted));
        assert!(!public.make_room(&out));
        assert_eq!([(); 3].map(|()| admin.make_room(&out)), [true, true, false]);
        admin.restore();
        assert_eq!(reserve.lock().len(), 2);
        assert!(public.may_accept());
    }
}
