//! Which class of OCSF an action is of.

use crate::{
    event::{Activity, Leaf, Outcome},
    rule::Rule,
};

/// A class that leaves are exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each has members of its own, and every leaf is exported as one of these"
)]
pub enum OcsfClass {
    /// API Activity, 6003: what is none of the others.
    ApiActivity,
    /// Authentication, 3002: signing in and out.
    Authentication,
    /// User Access Management, 3005: rights that somebody is given or loses.
    UserAccess,
    /// Entity Management, 3004: keys, tenants, people and policies that operators change.
    EntityManagement,
    /// Detection Finding, 2004: what a rule found in the log.
    DetectionFinding,
}

/// `activity_id` 99 of every class.
pub(super) const OTHER: u8 = 99;

/// What an action is exported as: by its name, or by the words that it begins with.
///
/// | begins with | class |
/// |---|---|
/// | `session`, `sign_in`, `sign_out` | [`OcsfClass::Authentication`] |
/// | `assignment`, `elevation`, `grant`, `role`, `roles` | [`OcsfClass::UserAccess`] |
/// | `api_key`, `data_key`, `detection`, `index`, `limits`, `pepper`, `person`, `tenant` | [`OcsfClass::EntityManagement`] |
/// | `audit.suspicious` | [`OcsfClass::DetectionFinding`] |
/// | anything else | [`OcsfClass::ApiActivity`] |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassMap(Vec<(&'static str, OcsfClass)>);

const DEFAULT: [(&str, OcsfClass); 17] = [
    ("session", OcsfClass::Authentication),
    ("sign_in", OcsfClass::Authentication),
    ("sign_out", OcsfClass::Authentication),
    ("assignment", OcsfClass::UserAccess),
    ("elevation", OcsfClass::UserAccess),
    ("grant", OcsfClass::UserAccess),
    ("role", OcsfClass::UserAccess),
    ("roles", OcsfClass::UserAccess),
    ("api_key", OcsfClass::EntityManagement),
    ("data_key", OcsfClass::EntityManagement),
    ("detection", OcsfClass::EntityManagement),
    ("index", OcsfClass::EntityManagement),
    ("limits", OcsfClass::EntityManagement),
    ("pepper", OcsfClass::EntityManagement),
    ("person", OcsfClass::EntityManagement),
    ("tenant", OcsfClass::EntityManagement),
    ("audit.suspicious", OcsfClass::DetectionFinding),
];

impl ClassMap {
    /// The table above.
    #[must_use]
    pub fn new() -> Self {
        Self(DEFAULT.to_vec())
    }

    /// With actions of this name, or that begin with it and a dot, in another class. The longest name counts, and of two
    /// that are the same the later.
    #[must_use]
    pub fn with(mut self, name: &'static str, class: OcsfClass) -> Self {
        self.0.push((name, class));
        self
    }

    /// The class of an action.
    #[must_use]
    pub fn class_of(&self, action: &str) -> OcsfClass {
        let begins = |name: &str| {
            let rest = action.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let found = self.0.iter().filter(|(name, _)| begins(name));
        found
            .max_by_key(|(name, _)| name.len())
            .map_or(OcsfClass::ApiActivity, |(_, class)| *class)
    }
}

impl Default for ClassMap {
    fn default() -> Self {
        Self::new()
    }
}

impl OcsfClass {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::ApiActivity,
        Self::Authentication,
        Self::UserAccess,
        Self::EntityManagement,
        Self::DetectionFinding,
    ];

    /// `class_uid`.
    #[must_use]
    pub const fn uid(self) -> u16 {
        match self {
            Self::ApiActivity => 6003,
            Self::Authentication => 3002,
            Self::UserAccess => 3005,
            Self::EntityManagement => 3004,
            Self::DetectionFinding => 2004,
        }
    }

    /// `category_uid`.
    #[must_use]
    pub const fn category(self) -> u8 {
        match self {
            Self::ApiActivity => 6,
            Self::Authentication | Self::UserAccess | Self::EntityManagement => 3,
            Self::DetectionFinding => 2,
        }
    }

    /// `activity_id`.
    pub(super) fn activity(self, leaf: &Leaf<'_>) -> u8 {
        match (self, leaf.activity()) {
            (Self::Authentication, _) => authentication(leaf),
            (Self::UserAccess, Activity::Create | Activity::Update) => 1,
            (Self::UserAccess, Activity::Delete) => 2,
            (Self::DetectionFinding, _) => 1,
            (Self::UserAccess, Activity::Read) | (_, Activity::Other) => OTHER,
            (_, Activity::Create) => 1,
            (_, Activity::Read) => 2,
            (_, Activity::Update) => 3,
            (_, Activity::Delete) => 4,
        }
    }

    /// `severity_id`: informational, low, and for a finding medium or high.
    pub(super) fn severity(self, leaf: &Leaf<'_>) -> u8 {
        match (self, leaf.outcome()) {
            (Self::DetectionFinding, _) if is_urgent(leaf) => 4,
            (Self::DetectionFinding, _) => 3,
            (_, Outcome::Success) => 1,
            (_, Outcome::Denied | Outcome::Failure | Outcome::Unknown) => 2,
        }
    }
}

fn is_urgent(leaf: &Leaf<'_>) -> bool {
    let code = leaf.reason_code();
    let mut rules = Rule::ALL.into_iter();
    rules.any(|rule| rule.is_urgent() && Some(rule.code().as_str()) == code)
}

/// Logon and logoff by the last word of the action; both are `other` activities of a leaf.
fn authentication(leaf: &Leaf<'_>) -> u8 {
    let action = leaf.action();
    let word = action.rsplit('.').next().unwrap_or(action);
    match (word, leaf.activity()) {
        ("sign_in" | "login" | "logon" | "begin" | "create", _) | (_, Activity::Create) => 1,
        ("sign_out" | "logout" | "logoff" | "end" | "revoke", _) | (_, Activity::Delete) => 2,
        _ => OTHER,
    }
}
