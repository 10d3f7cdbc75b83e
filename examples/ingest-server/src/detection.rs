//! What is done with personal data that is found where no schema declares any: for each kind, and for a
//! tenant apart where an operator says so.

mod document;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use arc_swap::ArcSwap;
use portcullis_pii_detect::{Detector, Kind};

pub(crate) use self::document::{InvalidPolicy, describe, read, read_stored};

/// What is done with a value in which one kind is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handling {
    /// The event is rejected.
    Reject,
    /// The value is sealed where it stands, as a text.
    Seal,
    /// The kind is not looked for.
    Off,
}

/// How each kind is handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handlings([Handling; Kind::ALL.len()]);

/// How each kind is handled, and how some are for some tenants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct DetectionPolicy {
    default: Handlings,
    /// For each tenant what differs from the default.
    tenants: BTreeMap<String, BTreeMap<&'static str, Handling>>,
}

/// What is looked for in the events of one tenant, and what is done with it.
#[derive(Debug)]
pub(crate) struct Detection {
    detector: Arc<Detector>,
    handlings: Handlings,
}

/// The policy in force. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct DetectionPolicies(Arc<ArcSwap<InForce>>);

/// A policy with the detectors that it asks for: one for each set of kinds, of which there are few.
#[derive(Debug)]
struct InForce {
    policy: DetectionPolicy,
    default: Arc<Detection>,
    tenants: HashMap<String, Arc<Detection>>,
}

impl Handling {
    pub(crate) const ALL: [Self; 3] = [Self::Reject, Self::Seal, Self::Off];

    /// As it is written in a policy, and as a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Seal => "seal",
            Self::Off => "off",
        }
    }
}

impl Handlings {
    pub(crate) fn of(&self, kind: Kind) -> Handling {
        // A kind that the detector learns is in `ALL`, and so in here.
        self.0
            .get(kind.index())
            .copied()
            .unwrap_or(Handling::Reject)
    }

    fn set(&mut self, kind: Kind, handling: Handling) {
        if let Some(place) = self.0.get_mut(kind.index()) {
            *place = handling;
        }
    }

    fn looked_for(&self) -> impl Iterator<Item = Kind> {
        let kinds = Kind::ALL.iter().copied();
        kinds.filter(|kind| self.of(*kind) != Handling::Off)
    }
}

/// `email reject, phone seal, …`
impl fmt::Display for Handlings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{kind} {}", self.of(*kind).as_str())?;
        }
        Ok(())
    }
}

/// What the detector looks for by itself is rejected.
impl Default for Handlings {
    fn default() -> Self {
        let mut handlings = Self([Handling::Reject; Kind::ALL.len()]);
        let others = Kind::ALL.iter().filter(|kind| !kind.is_standard());
        others.for_each(|kind| handlings.set(*kind, Handling::Off));
        handlings
    }
}

impl DetectionPolicy {
    /// How many tenants have handlings of their own.
    pub(crate) fn tenants(&self) -> usize {
        self.tenants.len()
    }

    /// How each kind is handled for tenants that nothing else is said of.
    pub(crate) const fn default_handlings(&self) -> &Handlings {
        &self.default
    }

    fn of(&self, overrides: &BTreeMap<&'static str, Handling>) -> Handlings {
        let mut handlings = self.default;
        for kind in Kind::ALL {
            if let Some(handling) = overrides.get(kind.as_str()) {
                handlings.set(*kind, *handling);
            }
        }
        handlings
    }
}

impl Detection {
    pub(crate) fn detector(&self) -> &Detector {
        &self.detector
    }

    pub(crate) fn handling(&self, kind: Kind) -> Handling {
        self.handlings.of(kind)
    }

    /// Whether any kind is looked for.
    pub(crate) fn is_on(&self) -> bool {
        self.handlings.looked_for().next().is_some()
    }
}

impl DetectionPolicies {
    pub(crate) fn new(policy: DetectionPolicy) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(InForce::new(policy))))
    }

    /// Puts another policy in force: for every event that is looked at from now on.
    pub(crate) fn replace(&self, policy: DetectionPolicy) {
        self.0.store(Arc::new(InForce::new(policy)));
    }

    /// The policy in force.
    pub(crate) fn policy(&self) -> DetectionPolicy {
        self.0.load().policy.clone()
    }

    /// What holds for a tenant.
    pub(crate) fn of_tenant(&self, tenant: &str) -> Arc<Detection> {
        let in_force = self.0.load();
        let own = in_force.tenants.get(tenant);
        Arc::clone(own.unwrap_or(&in_force.default))
    }
}

impl Default for DetectionPolicies {
    fn default() -> Self {
        Self::new(DetectionPolicy::default())
    }
}

impl InForce {
    fn new(policy: DetectionPolicy) -> Self {
        let mut detectors = HashMap::new();
        let mut detection = |handlings: Handlings| {
            let kinds: Vec<Kind> = handlings.looked_for().collect();
            let detector = detectors.entry(kinds.clone()).or_insert_with(|| {
                let detector = Detector::builder().kinds(kinds).build();
                Arc::new(detector.expect("kinds alone always make a detector"))
            });
            Arc::new(Detection {
                detector: Arc::clone(detector),
                handlings,
            })
        };
        let default = detection(policy.default);
        let tenants = policy.tenants.iter();
        let tenants = tenants
            .map(|(tenant, overrides)| (tenant.clone(), detection(policy.of(overrides))))
            .collect();
        Self {
            policy,
            default,
            tenants,
        }
    }
}

#[cfg(test)]
mod tests;
