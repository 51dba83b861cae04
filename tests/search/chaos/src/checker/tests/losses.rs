//! The database loses its last commits.

use super::*;

#[test]
fn what_the_database_has_lost_is_served_until_a_relay_must_have_noticed() {
    let lost = || {
        let written = story().write(1, 10, Some(20), APPLIED);
        written.write(2, 110, Some(120), APPLIED).loses(500, 600, 1)
    };
    lost().read(THERE, Tier::Far, 499, 2).read(THERE, Tier::Far, 1599, 2).keeps_to_all();
    lost().read(THERE, Tier::Far, 1601, 2).breaks(&[Rule::Lost]);
    lost().read(THERE, Tier::Near, 1699, 2).keeps_to_all();
    lost().read(THERE, Tier::Near, 1701, 2).breaks(&[Rule::Lost]);
    // Who was started later serves it never.
    lost().read(BESIDE, Tier::Far, 601, 2).breaks(&[Rule::LostBefore]);
    // What it has kept is as new as ever, for its writer as well,
    // and however late its commit is told.
    lost().read(HERE, Tier::Far, 650, 1).keeps_to_all();
    let late = story().write(1, 10, Some(20), APPLIED).loses(500, 600, 1);
    let late = late.write(2, 490, Some(501), APPLIED);
    late.read(HERE, Tier::Miss, 650, 1).keeps_to_all();
    // Until then it was not.
    lost().read(THERE, Tier::Far, 400, 1).breaks(&[Rule::Applied]);
}

#[test]
fn what_is_written_after_a_loss_is_under_all_rules() {
    let written = |how| {
        let lost = story().write(1, 10, Some(20), APPLIED);
        let lost = lost.write(2, 110, Some(120), APPLIED).loses(500, 600, 1);
        // A lost version that is read makes no other old.
        let lost = lost.read(THERE, Tier::Far, 610, 2);
        lost.write(101, 700, Some(710), how)
    };
    let read = |how, at, version| written(how).read(THERE, Tier::Far, at, version);
    read(PLAIN, 705, 1).keeps_to_all();
    read(PLAIN, 1709, 1).keeps_to_all();
    read(PLAIN, 1711, 1).breaks(&[Rule::Delivered]);
    for version in [1, 2] {
        read(APPLIED, 709, version).keeps_to_all();
        read(APPLIED, 711, version).breaks(&[Rule::Applied]);
    }
    read(APPLIED, 711, 101).keeps_to_all();
    read(APPLIED, 711, 102).breaks(&[Rule::Future]);
}
