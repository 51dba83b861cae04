//! Each mechanism's removal must be caught: a mutant, and a story that fails without what it took
//! out. The trial passes when the story ends in a wrong answer.
//!
//! | taken out | how | caught by |
//! | --- | --- | --- |
//! | fences | a fill shows a token from just before it | 16 |
//! | late joiners | a refused fill is reported as stored | 16, the variant with readers who come after the commit |
//! | embedded tags | a value registers its own row and direct hops | 10, 11, 12, 13 (a question) and the variant of 16 that writes to what is embedded |
//! | outbox | the triggers are dropped | 10, 11, 12, 13, 14, 15 (the reader before the commit), 16, 17, 18 |
//! | old images | an item's update reports its new row only | 13, by the app and by plain SQL, and 18 |

use libtest_mimic::Trial;

use crate::api::original::{
    s10_an_organization_rename_reaches_the_plios,
    s11_a_membership_added_or_removed_reaches_the_plios,
    s12_an_images_new_alt_text_reaches_the_plio,
    s13_a_question_moved_between_items_refreshes_both_plios,
    s13_an_item_moved_between_plios_refreshes_both, s13_an_item_moved_by_plain_sql_refreshes_both,
    s14_a_bulk_update_by_plain_sql_is_seen,
    s15_a_reader_before_the_commit_leaves_nothing_old_behind, s17_a_deleted_video_leaves_its_plios,
};
use crate::api::races::{
    s16_a_fill_that_overlaps_a_write_is_not_stored,
    s16_a_fill_that_overlaps_a_write_to_what_it_embeds_is_not_stored,
    s16_a_late_joiner_is_not_answered_with_an_old_load, s18_two_concurrent_movers_of_one_item,
};
use crate::harness::{Story, Without, story};

pub fn trials() -> impl Iterator<Item = Trial> {
    let table: [(Without, Vec<Story>); 5] = [
        (
            Without::Fence,
            vec![
                story!(s16_a_fill_that_overlaps_a_write_is_not_stored),
                story!(s16_a_fill_that_overlaps_a_write_to_what_it_embeds_is_not_stored),
            ],
        ),
        (Without::Joiner, vec![story!(s16_a_late_joiner_is_not_answered_with_an_old_load)]),
        (
            Without::EmbeddedTags,
            vec![
                story!(s10_an_organization_rename_reaches_the_plios),
                story!(s11_a_membership_added_or_removed_reaches_the_plios),
                story!(s12_an_images_new_alt_text_reaches_the_plio),
                story!(s13_a_question_moved_between_items_refreshes_both_plios),
                story!(s16_a_fill_that_overlaps_a_write_to_what_it_embeds_is_not_stored),
            ],
        ),
        (
            Without::Outbox,
            vec![
                story!(s10_an_organization_rename_reaches_the_plios),
                story!(s11_a_membership_added_or_removed_reaches_the_plios),
                story!(s12_an_images_new_alt_text_reaches_the_plio),
                story!(s13_an_item_moved_between_plios_refreshes_both),
                story!(s14_a_bulk_update_by_plain_sql_is_seen),
                story!(s15_a_reader_before_the_commit_leaves_nothing_old_behind),
                story!(s16_a_fill_that_overlaps_a_write_is_not_stored),
                story!(s17_a_deleted_video_leaves_its_plios),
                story!(s18_two_concurrent_movers_of_one_item),
            ],
        ),
        (
            Without::OldImages,
            vec![
                story!(s13_an_item_moved_between_plios_refreshes_both),
                story!(s13_an_item_moved_by_plain_sql_refreshes_both),
                story!(s18_two_concurrent_movers_of_one_item),
            ],
        ),
    ];
    table.into_iter().flat_map(|(mutant, caught_by)| {
        caught_by.into_iter().flat_map(move |story| story.fails(mutant))
    })
}
