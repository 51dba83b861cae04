//! The guide says what a reader may see, and names the tests that show it: they exist.

use libtest_mimic::Trial;

const PAGE: &str = include_str!("../../docs/guide/consistency.md");

pub fn trial(trials: &[Trial]) -> Trial {
    let table = PAGE.split("## What a reader may see").nth(1);
    let rows = table.unwrap_or_default().lines();
    // The last column; its names are filters of trials.
    let tests: Vec<String> = rows
        .filter_map(|row| row.strip_prefix("| ")?.strip_suffix(" |")?.rsplit(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    let unknown: Vec<String> = tests
        .iter()
        .filter(|test| !trials.iter().any(|trial| trial.name().contains(*test)))
        .cloned()
        .collect();
    Trial::test("guide::what_a_reader_may_see_names_its_tests", move || {
        assert!(tests.len() > 10, "the table is gone: {tests:?}");
        assert!(unknown.is_empty(), "no such tests: {unknown:?}");
        Ok(())
    })
}
