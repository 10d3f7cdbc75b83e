//! The counters: one cell for each tenant and event type, and every other view is a sum of cells.

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    clock::UnixMillis,
    conservation::Conservation,
    labels::{Label, Labels},
    outcome::Outcome,
    per_reason::PerOutcome,
    plan::Plan,
    reason::Reason,
    subject::Subject,
    tally::Tally,
    versions::{VersionUse, Versions},
};

/// Tenants told apart; later ones share `__other__`.
pub(crate) const TENANTS: u16 = 64;

/// Event types told apart; later ones share `__other__`.
pub(crate) const EVENT_TYPES: u16 = 128;

/// Rows of the ledger: the tenants, `__other__` and `__unknown__`.
pub(crate) const TENANT_ROWS: usize = Labels::numbers(TENANTS);

/// Columns of the ledger: the event types, `__other__` and `__unknown__`.
pub(crate) const TYPE_COLUMNS: usize = Labels::numbers(EVENT_TYPES);

/// What was received from each tenant, and what became of it.
#[derive(Debug)]
pub(crate) struct Ledger<R> {
    pub(crate) tenants: Labels,
    pub(crate) event_types: Labels,
    plan: Plan,
    received: [AtomicU64; TENANT_ROWS],
    /// The sums of the rows, so that they can be compared with `received` at one moment.
    recorded: [AtomicU64; TENANT_ROWS],
    /// Row by row; a cell exists from its first event on.
    cells: Box<[OnceLock<Box<Cell<R>>>]>,
}

/// The counters of one event type of one tenant.
#[derive(Debug)]
struct Cell<R> {
    outcomes: PerOutcome<R, AtomicU64>,
    versions: Versions,
}

impl<R: Reason> Ledger<R> {
    pub(crate) fn new(plan: Plan) -> Self {
        let event_types = Labels::new(EVENT_TYPES);
        for planned in plan.event_types() {
            event_types.resolve(Some(planned), |_| true);
        }
        Self {
            tenants: Labels::new(TENANTS),
            event_types,
            plan,
            received: std::array::from_fn(|_| AtomicU64::new(0)),
            recorded: std::array::from_fn(|_| AtomicU64::new(0)),
            cells: (0..TENANT_ROWS * TYPE_COLUMNS)
                .map(|_| OnceLock::new())
                .collect(),
        }
    }

    pub(crate) fn receive(&self, tenant: Option<&str>, count: u64) {
        let tenant = self.tenants.resolve(tenant, |_| true);
        self.received[tenant.index()].fetch_add(count, Ordering::Relaxed);
    }

    /// The row and the column of a subject; `admit` says whether an unplanned event type may become
    /// a label.
    pub(crate) fn position(
        &self,
        subject: Subject<'_>,
        admit: impl FnOnce(&str) -> bool,
    ) -> (Label, Label) {
        let tenant = self.tenants.resolve(subject.tenant, |_| true);
        (tenant, self.event_types.resolve(subject.event_type, admit))
    }

    /// Counts an outcome of so many events, and says in which row; `admit` says whether an unplanned name may become
    /// a label.
    pub(crate) fn record(
        &self,
        subject: Subject<'_>,
        outcome: Outcome<R>,
        count: u64,
        now: UnixMillis,
        admit: impl Fn(&str) -> bool,
    ) -> Label {
        let (tenant, event_type) = self.position(subject, &admit);
        let cell = self.cells[tenant.index() * TYPE_COLUMNS + event_type.index()]
            .get_or_init(|| Box::new(Cell::new()));
        let planned = |version: &str| {
            self.plan
                .lifecycle(self.event_types.name(event_type), version)
                .is_some()
        };
        let admit = |version: &str| planned(version) || admit(version);
        cell.versions
            .record(subject.schema_version, admit, count, now);
        // Release pairs with the acquire of a reader: one that sees this outcome also sees that the
        // event was received, so that the difference never looks negative.
        cell.outcomes[outcome].fetch_add(count, Ordering::Release);
        self.recorded[tenant.index()].fetch_add(count, Ordering::Release);
        tenant
    }

    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What was received from these tenants, and what is accounted for.
    pub(crate) fn conservation(&self, tenants: &[Label]) -> Conservation {
        let sum = |counts: &[AtomicU64]| {
            tenants
                .iter()
                .map(|tenant| counts[tenant.index()].load(Ordering::Acquire))
                .sum()
        };
        // Outcomes first: an outcome that is seen implies that its receipt is seen.
        let outcomes = sum(&self.recorded);
        Conservation {
            received: sum(&self.received),
            outcomes,
        }
    }

    pub(crate) fn of_tenant(&self, tenant: Label) -> Tally<R> {
        self.sum(
            self.event_types
                .iter()
                .map(|event_type| (tenant, event_type)),
        )
    }

    pub(crate) fn of_event_type(&self, event_type: Label) -> Tally<R> {
        self.sum(self.tenants.iter().map(|tenant| (tenant, event_type)))
    }

    pub(crate) fn of_cell(&self, tenant: Label, event_type: Label) -> Tally<R> {
        self.sum([(tenant, event_type)])
    }

    /// The counts of each event type of each tenant, where anything came.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Label, Label, Tally<R>)> {
        let tenants = self.tenants.iter();
        let positions = tenants.flat_map(|tenant| {
            let event_types = self.event_types.iter();
            event_types.map(move |event_type| (tenant, event_type))
        });
        positions.filter_map(|(tenant, event_type)| {
            let mut tally = Tally::default();
            self.cell(tenant, event_type)?.add_to(&mut tally);
            Some((tenant, event_type, tally))
        })
    }

    /// The use of each version of each event type of each tenant, where any came.
    pub(crate) fn all_versions(&self) -> impl Iterator<Item = (Label, Label, VersionUse<'_>)> {
        let tenants = self.tenants.iter();
        let positions = tenants.flat_map(|tenant| {
            let event_types = self.event_types.iter();
            event_types.map(move |event_type| (tenant, event_type))
        });
        positions.flat_map(|(tenant, event_type)| {
            let cell = self.cell(tenant, event_type).into_iter();
            let uses = cell.flat_map(|cell| cell.versions.iter());
            uses.map(move |used| (tenant, event_type, used))
        })
    }

    /// How often these tenants used each version of an event type, and when last.
    pub(crate) fn versions(
        &self,
        event_type: Label,
        tenants: impl IntoIterator<Item = Label>,
    ) -> BTreeMap<&str, (u64, UnixMillis)> {
        let mut versions = BTreeMap::new();
        let cells = tenants.into_iter();
        let cells = cells.filter_map(|tenant| self.cell(tenant, event_type));
        for used in cells.flat_map(|cell| cell.versions.iter()) {
            let merged = versions.entry(used.version).or_insert((0, used.last_seen));
            *merged = (merged.0 + used.events, merged.1.max(used.last_seen));
        }
        versions
    }

    fn sum(&self, positions: impl IntoIterator<Item = (Label, Label)>) -> Tally<R> {
        let mut tally = Tally::default();
        for (tenant, event_type) in positions {
            if let Some(cell) = self.cell(tenant, event_type) {
                cell.add_to(&mut tally);
            }
        }
        tally
    }

    fn cell(&self, tenant: Label, event_type: Label) -> Option<&Cell<R>> {
        let position = tenant.index() * TYPE_COLUMNS + event_type.index();
        self.cells[position].get().map(|cell| &**cell)
    }
}

impl<R: Reason> Cell<R> {
    fn new() -> Self {
        Self {
            outcomes: PerOutcome::new(|| AtomicU64::new(0)),
            versions: Versions::new(),
        }
    }

    fn add_to(&self, tally: &mut Tally<R>) {
        for outcome in Outcome::all() {
            tally.add(outcome, self.outcomes[outcome].load(Ordering::Acquire));
        }
    }
}
