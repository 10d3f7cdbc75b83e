//! The end of a data key, step by step, each no earlier than every process can follow.

use std::time::Duration;

use super::{Keyring, PrepareError, RotateError};
use crate::{
    IllegalTransition, KeyId,
    KeyState::{self, DecryptOnly, DestroyScheduled, Destroyed, Disabled, Pending, Primary},
    TenantId, Transition,
    observer::{Event, EvictionCause},
    store::StoredKey,
};

/// How long a key waits for its destruction unless the keyring is told otherwise: 7 days.
pub const DESTROY_DELAY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Keyring {
    /// How long from now a verification that nothing is sealed under a key may begin: zero, once the key has
    /// been `DecryptOnly` for 60 s. Only then has every process stopped to seal with it, and committed what
    /// it sealed before.
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::Illegal`] for a key that was not demoted, or is destroyed.
    pub async fn verify_from(&self, tenant: &TenantId, id: KeyId) -> Result<Duration, RotateError> {
        let key = self.key(tenant, id).await?;
        match key.state() {
            DecryptOnly => Ok(self.ready_in(&key, Disabled)),
            Disabled | DestroyScheduled => Ok(Duration::ZERO),
            from @ (Pending | Primary | Destroyed) => {
                let to = Disabled;
                Err(IllegalTransition::NoSuchStep { from, to }.into())
            }
        }
    }

    /// Refuses a key from now on, in every process within 10 s. It can be taken back with
    /// [`restore`](Self::restore). A key that waits for its destruction waits no more.
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::TooSoon`] for a key that has been `DecryptOnly` for less than 60 s.
    ///
    /// # Security
    /// It does not know what is sealed: verify first that nothing is sealed under the key, no earlier than
    /// [`verify_from`](Self::verify_from) says.
    pub async fn disable(&self, tenant: &TenantId, id: KeyId) -> Result<(), RotateError> {
        self.step_when_ready(tenant, id, Disabled).await
    }

    /// Lets the time begin after which a disabled key may be destroyed.
    ///
    /// # Errors
    /// [`RotateError`].
    ///
    /// # Security
    /// Verify again that nothing is sealed under the key.
    pub async fn schedule_destruction(
        &self,
        tenant: &TenantId,
        id: KeyId,
    ) -> Result<(), RotateError> {
        self.step_when_ready(tenant, id, DestroyScheduled).await
    }

    /// Destroys a key that has waited for it as long as [`KeyringBuilder::destroy_delay`] says, or one that is
    /// `Pending` and never sealed anything.
    ///
    /// [`KeyringBuilder::destroy_delay`]: crate::KeyringBuilder::destroy_delay
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::TooSoon`] before the delay is over.
    ///
    /// # Security
    /// The key is gone for ever: verify again that nothing is sealed under it.
    pub async fn destroy(&self, tenant: &TenantId, id: KeyId) -> Result<(), RotateError> {
        self.step_when_ready(tenant, id, Destroyed).await
    }

    /// Takes a key that is disabled, or waits for its destruction, back to `DecryptOnly`: it opens again. Called
    /// again after a crash, it goes on.
    ///
    /// # Errors
    /// [`RotateError`].
    pub async fn restore(&self, tenant: &TenantId, id: KeyId) -> Result<(), RotateError> {
        if self.key(tenant, id).await?.state() == DestroyScheduled {
            self.change_state(tenant, id, Disabled).await?;
        }
        self.change_state(tenant, id, DecryptOnly).await
    }

    /// Takes a key from the state it is in to another that is not `Primary`, without waiting for anything: what
    /// [`disable`](Self::disable), [`schedule_destruction`](Self::schedule_destruction),
    /// [`destroy`](Self::destroy) and [`restore`](Self::restore) are made of.
    ///
    /// # Errors
    /// [`RotateError`]; [`RotateError::Illegal`] for a step that the state machine does not have.
    ///
    /// # Security
    /// It checks neither whether anything is still sealed with the key nor whether other processes have
    /// stopped to seal with it. A destroyed key is gone for ever.
    pub async fn change_state(
        &self,
        tenant: &TenantId,
        id: KeyId,
        to: KeyState,
    ) -> Result<(), RotateError> {
        let key = self.key(tenant, id).await?;
        self.step(&key, Transition::new(key.state(), to)?).await
    }

    async fn step_when_ready(
        &self,
        tenant: &TenantId,
        id: KeyId,
        to: KeyState,
    ) -> Result<(), RotateError> {
        let key = self.key(tenant, id).await?;
        let step = Transition::new(key.state(), to)?;
        let ready_in = self.ready_in(&key, to);
        if !ready_in.is_zero() {
            return Err(RotateError::TooSoon { to, ready_in });
        }
        self.step(&key, step).await
    }

    async fn step(&self, key: &StoredKey, step: Transition) -> Result<(), RotateError> {
        let now = self.shared.clock.wall();
        self.shared.store.change(key.id(), step, now).await?;
        self.shared.states.forget(key.tenant());
        self.shared.observer.observe(&Event::StateChanged {
            key: key.context(),
            from: step.from(),
            to: step.to(),
        });
        if !step.to().opens() {
            self.shared.keys.evict(key.context(), EvictionCause::State);
        }
        Ok(())
    }

    /// A key as the store has it now.
    pub(super) async fn key(&self, tenant: &TenantId, id: KeyId) -> Result<StoredKey, RotateError> {
        let states = self.shared.reread_states(tenant).await;
        let states = states.map_err(PrepareError::Store)?;
        if let Some(damaged) = states.find_damaged(id) {
            return Err(PrepareError::Store(damaged.error()).into());
        }
        let key = states.find(id).ok_or(RotateError::UnknownKey(id))?;
        Ok(key.clone())
    }

    /// How long from now a key may take a step; zero where nothing has to be waited for.
    pub(super) fn ready_in(&self, key: &StoredKey, to: KeyState) -> Duration {
        let wait = match (key.state(), to) {
            (Pending | DecryptOnly, Primary) => KNOWN_AFTER,
            (DecryptOnly, Disabled) => WRITTEN_AFTER,
            (DestroyScheduled, Destroyed) => self.shared.destroy_delay,
            _ => Duration::ZERO,
        };
        // A key that is so since a time in the future, by a clock that is ahead, waits from now.
        wait.saturating_sub(key.in_state_for(self.shared.clock.wall()))
    }
}

/// When every process opens with a key that may be opened with: three times the interval at which each
/// reads the states again.
const KNOWN_AFTER: Duration = Duration::from_secs(15);

/// When everything is committed that was sealed with a key before it was demoted: every process knows of it
/// after 10 s, and what it has sealed is committed 30 s later; the rest is for clocks that differ.
const WRITTEN_AFTER: Duration = Duration::from_secs(60);
