//! Histories made by hand. Times are milliseconds; deliveries take 1000 at most, messages 100.

use chaos_service::record::Model;

use super::*;

mod losses;

const BOUNDS: Bounds = Bounds { delivery: 1000 * MS, near: 100 * MS };
const MS: Nanos = 1_000_000;
/// The process that writes, another of its line, and one of another line.
const HERE: ProcessId = 1;
const THERE: ProcessId = 2;
const BESIDE: ProcessId = 3;

/// A history, and the rules that its reads break.
struct Story {
    checker: Checker,
    model: Model,
    promised: Option<i64>,
}

fn story() -> Story {
    Story { checker: Checker::new(BOUNDS), model: Model::Author, promised: None }
}

impl Story {
    /// Readers show the token of this version's commit.
    fn promised(mut self, version: i64) -> Story {
        self.promised = Some(version);
        self
    }

    fn strict(mut self) -> Story {
        self.model = Model::Account;
        self
    }

    /// Version 1, 2, … between two moments. Without an end, its process was killed.
    fn write(
        mut self,
        version: i64,
        start: Nanos,
        end: Option<Nanos>,
        (way, outcome): (Way, Outcome),
    ) -> Story {
        let begun = Write {
            process: HERE,
            line: Line::Main,
            register: self.model.register(3),
            version,
            start: start * MS,
            way,
            ended: None,
        };
        self.checker.write(begun);
        if let Some(end) = end {
            let ended = Some((end * MS, outcome));
            self.checker.write(Write { ended, ..begun });
        }
        self
    }

    fn read(self, process: ProcessId, tier: Tier, start: Nanos, version: i64) -> Story {
        self.read_within(process, tier, (start, start + 1), version, true)
    }

    fn read_within(
        mut self,
        process: ProcessId,
        tier: Tier,
        (start, end): (Nanos, Nanos),
        version: i64,
        direct: bool,
    ) -> Story {
        self.checker.read(Read {
            process,
            line: match process {
                BESIDE => Line::Database,
                _ => Line::Main,
            },
            register: self.model.register(3),
            start: start * MS,
            end: end * MS,
            version,
            tier,
            direct,
            promised: self.promised,
        });
        self
    }

    fn allow(mut self, from: Nanos, to: Nanos, adds: Option<Nanos>) -> Story {
        let (from, to, adds) = (from * MS, to * MS, adds.map(|it| it * MS));
        self.checker.allow(Allowance { line: None, from, to, adds });
        self
    }

    /// Between these moments the database loses all versions above this.
    fn loses(mut self, from: Nanos, to: Nanos, kept: i64) -> Story {
        self.checker.loss(Loss {
            from: from * MS,
            to: to * MS,
            kept: HashMap::from([(self.model.register(3), kept)]),
            floor: 100,
            newest: THERE,
        });
        self
    }

    fn breaks(mut self, rules: &[Rule]) -> Checker {
        let violations = self.checker.advance(Nanos::MAX);
        let broken: Vec<Rule> = violations.iter().map(|it| it.rule).collect();
        assert_eq!(broken, rules, "{violations:?}");
        self.checker
    }

    fn keeps_to_all(self) -> Checker {
        self.breaks(&[])
    }
}

const APPLIED: (Way, Outcome) = (Way::Cache, Outcome::Applied);
const COMMITTED: (Way, Outcome) = (Way::Cache, Outcome::Committed);
const PLAIN: (Way, Outcome) = (Way::Plain, Outcome::Committed);
const UNKNOWN: (Way, Outcome) = (Way::Cache, Outcome::Unknown);

#[test]
fn a_write_may_be_read_from_its_start() {
    let written = || story().write(1, 10, Some(20), APPLIED);
    written().read(THERE, Tier::Miss, 9, 1).keeps_to_all();
    written().read(THERE, Tier::Miss, 5, 1).breaks(&[Rule::Future]);
}

#[test]
fn what_was_never_written_is_not_read() {
    let written = story().write(1, 10, Some(20), APPLIED);
    written.read(THERE, Tier::Far, 30, 2).breaks(&[Rule::Future]);
}

#[test]
fn what_is_not_known_to_be_committed_may_be_read_or_not() {
    let killed = || story().write(1, 10, None, UNKNOWN);
    killed().read(THERE, Tier::Far, 5000, 0).keeps_to_all();
    killed().read(THERE, Tier::Far, 5000, 1).keeps_to_all();
    let failed = || story().write(1, 10, Some(20), UNKNOWN);
    failed().read(HERE, Tier::Far, 5000, 0).keeps_to_all();
    failed().read(HERE, Tier::Far, 5000, 1).keeps_to_all();
}

#[test]
fn nothing_stale_survives() {
    let written = || story().write(1, 10, Some(20), APPLIED);
    written().read(THERE, Tier::Far, 19, 0).keeps_to_all();
    for tier in [Tier::Far, Tier::Stale, Tier::Collapsed] {
        written().read(THERE, tier, 21, 1).keeps_to_all();
        written().read(THERE, tier, 21, 0).breaks(&[Rule::Applied]);
    }
}

#[test]
fn a_row_that_is_always_there_is_always_found() {
    story().read(THERE, Tier::Far, 5, -1).breaks(&[Rule::Applied]);
}

#[test]
fn a_near_value_may_be_old_until_the_bound() {
    let written = || story().write(1, 10, Some(20), APPLIED);
    written().read(THERE, Tier::Near, 119, 0).keeps_to_all();
    written().read(THERE, Tier::Near, 121, 0).breaks(&[Rule::Near]);
}

#[test]
fn a_process_sees_what_it_has_written() {
    // Also near, and also what the store was not told of.
    for how in [APPLIED, COMMITTED] {
        let written = || story().write(1, 10, Some(20), how);
        written().read(HERE, Tier::Near, 21, 0).breaks(&[Rule::Own]);
        written().read(HERE, Tier::Far, 21, 0).breaks(&[Rule::Own]);
        written().read(HERE, Tier::Far, 19, 0).keeps_to_all();
    }
    // But not what it wrote past the cache.
    let written = story().write(1, 10, Some(20), PLAIN);
    written.read(HERE, Tier::Far, 21, 0).keeps_to_all();
}

#[test]
fn who_shows_a_token_sees_what_was_written() {
    for tier in [Tier::Near, Tier::Far, Tier::Bypass] {
        let written = || story().write(1, 10, Some(20), COMMITTED).promised(1);
        written().read(BESIDE, tier, 21, 1).keeps_to_all();
        written().read(BESIDE, tier, 21, 0).breaks(&[Rule::Promised]);
        written().loses(30, 40, 0).read(BESIDE, tier, 2000, 0).keeps_to_all();
    }
}

#[test]
fn what_the_store_was_not_told_of_is_delivered_in_time() {
    for how in [PLAIN, COMMITTED] {
        let written = || story().write(1, 10, Some(20), how);
        written().read(THERE, Tier::Far, 1019, 0).keeps_to_all();
        written().read(THERE, Tier::Far, 1021, 0).breaks(&[Rule::Delivered]);
        written().read(THERE, Tier::Near, 1119, 0).keeps_to_all();
        written().read(THERE, Tier::Near, 1121, 0).breaks(&[Rule::NearDelivered]);
    }
}

#[test]
fn what_one_line_was_told_is_delivered_to_another_in_time() {
    let written = || story().write(1, 10, Some(20), APPLIED);
    written().read(BESIDE, Tier::Far, 21, 0).keeps_to_all();
    written().read(BESIDE, Tier::Far, 1019, 0).keeps_to_all();
    written().read(BESIDE, Tier::Far, 1021, 0).breaks(&[Rule::Delivered]);
    written().read(BESIDE, Tier::Near, 1119, 0).keeps_to_all();
    written().read(BESIDE, Tier::Near, 1121, 0).breaks(&[Rule::NearDelivered]);
    // Who was told of one is not told of the next by its being told.
    let twice = || written().write(2, 30, Some(40), APPLIED);
    twice().read(THERE, Tier::Far, 41, 1).breaks(&[Rule::Applied]);
    twice().read(BESIDE, Tier::Far, 41, 1).keeps_to_all();
}

#[test]
fn whoever_reads_a_version_proves_that_it_is_committed() {
    let read = || story().write(1, 10, None, UNKNOWN).read(HERE, Tier::Miss, 30, 1);
    read().read(THERE, Tier::Far, 1030, 0).keeps_to_all();
    read().read(THERE, Tier::Far, 1032, 0).breaks(&[Rule::Delivered]);
}

#[test]
fn so_does_whoever_writes_the_next() {
    let written = || {
        let killed = story().write(1, 10, None, UNKNOWN);
        killed.write(2, 50, None, UNKNOWN)
    };
    written().read(THERE, Tier::Far, 1049, 0).keeps_to_all();
    written().read(THERE, Tier::Far, 1051, 0).breaks(&[Rule::Delivered]);
    written().read(THERE, Tier::Far, 5000, 1).keeps_to_all();
}

#[test]
fn a_fault_allows_more_to_deliveries_that_it_meets_and_to_nothing_else() {
    let slow = |how| story().write(1, 10, Some(20), how).allow(500, 900, Some(200));
    slow(PLAIN).read(THERE, Tier::Far, 1219, 0).keeps_to_all();
    slow(PLAIN).read(THERE, Tier::Far, 1221, 0).breaks(&[Rule::Delivered]);
    slow(APPLIED).read(THERE, Tier::Far, 25, 0).breaks(&[Rule::Applied]);
    let before = story().allow(1, 5, Some(200)).write(1, 10, Some(20), PLAIN);
    before.read(THERE, Tier::Far, 1021, 0).breaks(&[Rule::Delivered]);
}

#[test]
fn while_nothing_is_delivered_what_is_committed_waits_for_the_end_and_no_longer() {
    let written = |at| story().write(1, at - 10, Some(at), PLAIN);
    let still = |at| written(at).allow(500, 4000, None);
    for (at, last) in [(400, 4900), (600, 5000), (3900, 5000), (4100, 5100)] {
        still(at).read(THERE, Tier::Far, last, 0).keeps_to_all();
        still(at).read(THERE, Tier::Far, last + 1, 0).breaks(&[Rule::Delivered]);
    }
}

#[test]
fn what_is_allowed_to_one_line_is_not_to_another() {
    let mut written = story().write(1, 10, Some(20), PLAIN);
    written.checker.allow(Allowance {
        line: Some(Line::Database),
        from: 0,
        to: 900 * MS,
        adds: Some(500 * MS),
    });
    written
        .read(BESIDE, Tier::Far, 1500, 0)
        .read(THERE, Tier::Far, 1500, 0)
        .breaks(&[Rule::Delivered]);
}

#[test]
fn what_no_trigger_reported_is_old_until_it_is_noticed() {
    const PAGES: &[Model] = &[Model::Page];
    // From 100 to 200 the triggers are others.
    let others = |model, (start, end)| {
        let mut story = story();
        story.model = model;
        story.checker.unreported(Unreported { models: PAGES, from: 100 * MS, to: Nanos::MAX });
        story.checker.reported(200 * MS);
        story.write(1, start, Some(end), APPLIED)
    };
    for during in [(90, 110), (120, 130), (190, 210)] {
        let page = || others(Model::Page, during);
        for process in [HERE, THERE, BESIDE] {
            page().read(process, Tier::Far, 1080, 0).keeps_to_all();
            page().read(process, Tier::Far, 1220, 0).breaks(&[Rule::Delivered]);
            page().read(process, Tier::Near, 1320, 0).breaks(&[Rule::NearDelivered]);
        }
        let author = others(Model::Author, during);
        let read = author.read(HERE, Tier::Far, 215, 0);
        read.breaks(&[Rule::Own]);
    }
    for outside in [(80, 99), (201, 210)] {
        let page = others(Model::Page, outside);
        let read = page.read(THERE, Tier::Far, 215, 0);
        read.breaks(&[Rule::Applied]);
    }
    // The next version is reported again.
    let both = others(Model::Page, (120, 130)).write(2, 220, Some(230), APPLIED);
    both.read(HERE, Tier::Near, 231, 1).breaks(&[Rule::Own]);
}

#[test]
fn strict_values_are_never_behind() {
    let written = || story().strict().write(1, 10, Some(20), COMMITTED);
    written().read(THERE, Tier::Far, 19, 0).keeps_to_all();
    written().read(THERE, Tier::Far, 21, 0).breaks(&[Rule::Strict]);
    written().read(THERE, Tier::Far, 21, 1).keeps_to_all();
}

#[test]
fn a_strict_value_is_strict_in_the_line_that_writes_it() {
    let written = || story().strict().write(1, 10, Some(20), APPLIED);
    written().read(BESIDE, Tier::Far, 1019, 0).keeps_to_all();
    written().read(BESIDE, Tier::Far, 1021, 0).breaks(&[Rule::Delivered]);
}

#[test]
fn strict_reads_do_not_go_back() {
    // While the write is under way one reader sees it, and a later one does not.
    let written = || story().strict().write(1, 10, Some(90), APPLIED);
    let one = || written().read(HERE, Tier::Miss, 30, 1);
    one().read(THERE, Tier::Far, 32, 0).breaks(&[Rule::Strict]);
    one().read_within(THERE, Tier::Far, (25, 50), 0, true).keeps_to_all();
    let past = written().read(HERE, Tier::Database, 30, 1);
    past.read(THERE, Tier::Far, 32, 0).breaks(&[Rule::Strict]);
}

#[test]
fn what_comes_from_the_source_is_new() {
    let written = || story().write(1, 10, Some(20), PLAIN);
    for tier in [Tier::Miss, Tier::Bypass] {
        written().read(THERE, tier, 21, 0).breaks(&[Rule::Source]);
        // What it embeds may have come from the store; what another has loaded, from before.
        written().read_within(THERE, tier, (21, 22), 0, false).keeps_to_all();
    }
    written().read(THERE, Tier::Collapsed, 21, 0).keeps_to_all();
    written().read(THERE, Tier::Database, 21, 0).breaks(&[Rule::Source]);
}

#[test]
fn a_list_is_as_old_as_what_may_have_answered_and_of_one_moment() {
    let read = |process, tier, at, version| {
        story().write(1, 10, Some(20), APPLIED).read(process, tier, at, version)
    };
    read(THERE, Tier::List, 21, 0).breaks(&[Rule::Applied]);
    read(THERE, Tier::NearList, 120, 0).keeps_to_all();
    read(THERE, Tier::NearList, 121, 0).breaks(&[Rule::Near]);
    read(HERE, Tier::NearList, 21, 0).breaks(&[Rule::Own]);
    read(THERE, Tier::NearList, 21, TORN).breaks(&[Rule::Torn]);
}

#[test]
fn only_what_is_complete_is_checked() {
    let mut story = story().read(THERE, Tier::Miss, 30, 1);
    assert!(story.checker.advance(20 * MS).is_empty());
    // Told later, although it was earlier.
    story = story.write(1, 10, Some(20), APPLIED);
    assert!(story.checker.advance(40 * MS).is_empty());
    assert_eq!(story.checker.report.reads[&Tier::Miss], 1);
}

#[test]
fn the_report_says_how_old_and_how_many() {
    let written = story().write(1, 10, Some(20), PLAIN);
    let reads = written.read(THERE, Tier::Far, 520, 0).read(THERE, Tier::Far, 700, 1);
    let report = reads.keeps_to_all().report;
    assert_eq!(report.worst[&Rule::Delivered], (500 * MS, 1000 * MS));
    assert_eq!((report.newest, report.writes), (1, 1));
    assert_eq!(report.reads[&Tier::Far], 2);
}

#[test]
fn a_violation_shows_what_was_around_it() {
    let mut story = story().write(1, 10, Some(20), APPLIED).read(THERE, Tier::Far, 25, 0);
    let violations = story.checker.advance(Nanos::MAX);
    let text = violations[0].to_string();
    for part in [
        "Author 3: version 0 breaks the rule `Applied`: 5.0 ms old, allowed are 0.0",
        "-15.0 write 1 by process 1 (Main, Cache), returned      -5.0, Applied",
        "0.0 read 0 in process 2 (Main, Far), returned       1.0",
    ] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}
