//! A list over a path: its ids are found over rows of several steps, and its tags are those of the
//! rows on the way. Writes to any of them come between the statements of a load.
//!
//! A list that lists the rows which have its key is a value with one tag, as in `machine.rs`.

use stateright::{Model, Property};

use crate::mutant::mutants;

mutants! {
    /// A fill does not ask the fences.
    WithoutFence,
    /// What leads to the rows is read first, step by step, and which they are at a later moment.
    StepsFirst,
    /// Which the rows are is read first, and later what leads to them, the last step first.
    IdsFirst,
    /// What leads to the rows is not registered.
    WithoutListSteps,
    /// The tag of the key is not registered.
    KeyUnregistered,
    /// Only rows that are listed are registered, rather than all that lead to rows.
    OnlyListed,
    /// A write reports what the row is found by from now on, and not what it was found by.
    OldKeyUnreported,
}

/// What holds once all is told.
pub const SETTLED: &str = "what is stored is what the database says, once all is told";
/// What holds at any time.
pub const TOLD: &str = "no row in what is stored is older than what was told of it";

/// The rows that there are, and how much may happen.
#[derive(Clone, Debug)]
pub struct Lists {
    /// Of each step. The first are found by the key, if that is 0; those of the last are listed.
    pub steps: Vec<Vec<Option<Row>>>,
    /// How many writes there are.
    pub writes: usize,
    /// Processes that load.
    pub loaders: usize,
    /// What is taken out.
    pub without: Option<Mutant>,
    /// Whether [`TOLD`] is asked for as well.
    pub at_any_time: bool,
}

/// A row on the way, or one that is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Row {
    /// What it is found by: 0 or 1.
    pub found_by: u8,
    /// What it leads to. Of a row of the last step: whether it is in the list, which has a `where`.
    pub leads: u8,
}

/// Some of the values 0 and 1, of the rows of a step, or of all tags: two for each step.
type Set = u8;

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// In the order of their commits.
    writes: Vec<Write>,
    clock: u8,
    /// Of each tag, when it was last told.
    fences: Vec<u8>,
    loaders: Vec<Option<Load>>,
    stored: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Write {
    step: usize,
    row: usize,
    new: Option<Row>,
    /// What it reports.
    tags: Set,
    told: bool,
}

/// What was read so far, by so many statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Load {
    token: u8,
    statements: usize,
    value: Value,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Value {
    ids: Set,
    tags: Set,
}

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A row of a step is created, changed or deleted, and it is committed.
    Commit(usize, usize, Option<Row>),
    /// The store is told what a write reports, by whoever delivers it.
    Tell(usize),
    /// Somebody misses, and has a token.
    Miss(usize),
    /// The next statement of a load.
    Read(usize),
    /// What was loaded is offered to the store.
    Fill(usize),
}

/// What a statement of a load reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Statement {
    Ids,
    /// What the rows of this step are found by.
    Step(usize),
}

impl Lists {
    /// Two rows lead to two of which each may be listed.
    pub fn of_two_steps(without: Option<Mutant>) -> Lists {
        let row = |found_by, leads| Some(Row { found_by, leads });
        let steps = vec![vec![row(0, 0), None], vec![row(0, 1), row(1, 1)]];
        Lists { steps, writes: 3, loaders: 1, without, at_any_time: true }
    }

    /// With rows in between.
    pub fn of_three_steps(without: Option<Mutant>) -> Lists {
        let row = |found_by, leads| Some(Row { found_by, leads });
        let steps = vec![vec![row(0, 0)], vec![row(0, 0), row(1, 1)], vec![row(0, 1)]];
        Lists { steps, writes: 3, loaders: 1, without, at_any_time: true }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.without == Some(mutant)
    }

    /// The statements of a load: those that see one moment, then those that see the next.
    fn statements(&self) -> Vec<Vec<Statement>> {
        let steps = (1..self.steps.len()).map(Statement::Step);
        let apart = |all: Vec<Statement>| all.into_iter().map(|it| vec![it]).collect();
        match self.without {
            Some(Mutant::StepsFirst) => apart(steps.chain([Statement::Ids]).collect()),
            Some(Mutant::IdsFirst) => {
                apart([Statement::Ids].into_iter().chain(steps.rev()).collect())
            }
            _ => vec![steps.chain([Statement::Ids]).collect()],
        }
    }

    /// The rows as these of the writes have left them.
    fn rows(&self, writes: &[Write], is: impl Fn(usize) -> bool) -> Vec<Vec<Option<Row>>> {
        let mut rows = self.steps.clone();
        for (_, write) in writes.iter().enumerate().filter(|(at, _)| is(*at)) {
            rows[write.step][write.row] = write.new;
        }
        rows
    }

    /// What a write to a row of this step reports: what lists register of it.
    fn reports(&self, step: usize, [old, new]: [Option<Row>; 2]) -> Set {
        let is_reported = |row: &Row| step + 1 < self.steps.len() || row.leads == 1;
        let [old, new] = [old.filter(is_reported), new.filter(is_reported)];
        let old = old.filter(|_| !self.is(Mutant::OldKeyUnreported));
        old.into_iter().chain(new).fold(0, |all, row| all | tag(step, row.found_by))
    }

    /// Whether the list could be this without a row that is older than what was told of it: there
    /// are writes that nobody was told of, and that may be missing, each with those to the same row
    /// after it.
    fn is_as_told(&self, writes: &[Write], ids: Set) -> bool {
        let of_row = |at: usize| (writes[at].step, writes[at].row);
        let may_miss = |there: u32| {
            (0..writes.len()).filter(|at| there & 1 << at == 0).all(|missing| {
                let mut before = (0..=missing).filter(|at| of_row(*at) == of_row(missing));
                let mut after = (missing..writes.len()).filter(|at| there & 1 << at != 0);
                before.any(|at| !writes[at].told) && after.all(|at| of_row(at) != of_row(missing))
            })
        };
        (0..1 << writes.len()).any(|there: u32| {
            may_miss(there) && listed(&self.rows(writes, |at| there & 1 << at != 0)) == ids
        })
    }
}

fn tag(step: usize, found_by: u8) -> Set {
    1 << (2 * step + usize::from(found_by))
}

/// Which rows of this step are found from the key.
fn found(rows: &[Vec<Option<Row>>], step: usize) -> impl Iterator<Item = (usize, Row)> {
    let by = found_by(rows, step);
    let rows = rows[step].iter().enumerate().filter_map(|(at, row)| Some((at, (*row)?)));
    rows.filter(move |(_, row)| by & 1 << row.found_by != 0)
}

/// By which values.
fn found_by(rows: &[Vec<Option<Row>>], step: usize) -> Set {
    match step {
        0 => 1,
        _ => found(rows, step - 1).fold(0, |all, (_, row)| all | 1 << row.leads),
    }
}

/// Which rows are listed.
fn listed(rows: &[Vec<Option<Row>>]) -> Set {
    let listed = found(rows, rows.len() - 1).filter(|(_, row)| row.leads == 1);
    listed.fold(0, |all, (at, _)| all | 1 << at)
}

impl Model for Lists {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            writes: Vec::new(),
            clock: 0,
            fences: vec![0; 2 * self.steps.len()],
            loaders: vec![None; self.loaders],
            stored: None,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.writes.len() < self.writes {
            let rows = self.rows(&state.writes, |_| true);
            let values = [0, 1].into_iter().flat_map(|found_by| {
                [0, 1].into_iter().map(move |leads| Some(Row { found_by, leads }))
            });
            for (step, rows) in rows.iter().enumerate() {
                for (row, old) in rows.iter().enumerate() {
                    let others = values.clone().chain([None]).filter(|new| new != old);
                    actions.extend(others.map(|new| Action::Commit(step, row, new)));
                }
            }
        }
        let waiting = state.writes.iter().enumerate().filter(|(_, write)| !write.told);
        actions.extend(waiting.map(|(at, _)| Action::Tell(at)));
        for (at, loader) in state.loaders.iter().enumerate() {
            match loader {
                None if state.stored.is_none() => actions.push(Action::Miss(at)),
                None => {}
                Some(load) if load.statements < self.statements().len() => {
                    actions.push(Action::Read(at));
                }
                Some(_) => actions.push(Action::Fill(at)),
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Commit(step, row, new) => {
                let old = self.rows(&state.writes, |_| true)[step][row];
                let tags = self.reports(step, [old, new]);
                next.writes.push(Write { step, row, new, tags, told: false });
            }
            Action::Tell(at) => next.tell(at),
            Action::Miss(at) => {
                next.loaders[at] = Some(Load { token: state.clock, ..Load::default() });
            }
            Action::Read(at) => next.read(at, self),
            Action::Fill(at) => next.fill(at, self),
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![Property::always(SETTLED, |lists: &Lists, state: &State| {
            let rows = lists.rows(&state.writes, |_| true);
            let all_is_told = state.writes.iter().all(|write| write.told);
            !all_is_told || state.stored.is_none_or(|stored| stored.ids == listed(&rows))
        })];
        if self.at_any_time {
            properties.push(Property::always(TOLD, |lists: &Lists, state: &State| {
                state.stored.is_none_or(|stored| lists.is_as_told(&state.writes, stored.ids))
            }));
        }
        properties
    }
}

impl State {
    /// What has one of the tags is deleted, and what was loaded with one of them is refused.
    fn tell(&mut self, at: usize) {
        let tags = self.writes[at].tags;
        self.writes[at].told = true;
        self.clock += 1;
        for (tag, fence) in self.fences.iter_mut().enumerate() {
            if tags & 1 << tag != 0 {
                *fence = self.clock;
            }
        }
        self.stored = self.stored.filter(|stored| stored.tags & tags == 0);
    }

    fn read(&mut self, at: usize, lists: &Lists) {
        let rows = lists.rows(&self.writes, |_| true);
        let Some(load) = &mut self.loaders[at] else {
            return;
        };
        for statement in &lists.statements()[load.statements] {
            match statement {
                Statement::Ids => load.value.ids = listed(&rows),
                Statement::Step(step) => {
                    let is_last = step + 1 == rows.len();
                    let by = match lists.is(Mutant::OnlyListed) && is_last {
                        true => found(&rows, *step)
                            .filter(|(_, row)| row.leads == 1)
                            .fold(0, |all, (_, row)| all | 1 << row.found_by),
                        false => found_by(&rows, *step),
                    };
                    load.value.tags |= by << (2 * step);
                }
            }
        }
        load.statements += 1;
    }

    fn fill(&mut self, at: usize, lists: &Lists) {
        let Some(Load { token, mut value, .. }) = self.loaders[at].take() else {
            return;
        };
        if lists.is(Mutant::WithoutListSteps) {
            value.tags = 0;
        }
        if !lists.is(Mutant::KeyUnregistered) {
            value.tags |= tag(0, 0);
        }
        let mut fences = self.fences.iter().enumerate();
        let refused = fences.any(|(tag, fence)| value.tags & 1 << tag != 0 && *fence > token);
        if !refused || lists.is(Mutant::WithoutFence) {
            self.stored = Some(value);
        }
    }
}
