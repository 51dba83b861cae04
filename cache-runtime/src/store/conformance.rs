//! What every [`Store`] must do: one suite, which all of them pass unchanged.
//!
//! A store that several processes share passes [`run_shared`] as well.
//!
//! ```ignore
//! #[tokio::test]
//! async fn my_store_conforms() {
//!     cache_runtime::store::conformance::run(async |schema| MyStore::new(schema)).await;
//! }
//! ```

use super::{InvalidationSink, Store};
use crate::model::schema::Schema;

mod blocks;
mod leases;
mod told;
mod tools;
mod values;

pub use leases::run_shared;

use tools::{LONG, SHORT, SOURCE, schema};

/// Runs the suite. `new` makes an empty store, for every rule another.
///
/// # Panics
/// When the store breaks a rule.
pub async fn run<S: Store>(new: impl AsyncFn(&Schema) -> S) {
    macro_rules! rules {
        ($($($rule:ident)::+($fences:expr)),* $(,)?) => {$(
            let store = new(&schema($fences)).await;
            store.keep_told(InvalidationSink::new(told::near()));
            store.connect(SOURCE).await.expect("connect");
            $($rule)::+(&store).await;
        )*};
    }
    macro_rules! near_rules {
        ($($rule:ident),* $(,)?) => {$(
            let (store, near) = (new(&schema(LONG)).await, told::near());
            store.keep_told(InvalidationSink::new(near.clone()));
            store.connect(SOURCE).await.expect("connect");
            told::$rule(&store, &near).await;
        )*};
    }
    near_rules! {
        what_is_invalidated_is_told,
        what_has_expired_is_told_when_it_is_invalidated,
        what_is_stored_anew_is_told_by_its_old_tags,
        a_wide_tag_is_told_whole,
        another_source_empties_near,
    }
    rules! {
        values::reads_back_what_was_stored(LONG),
        values::an_invalidation_deletes_what_its_tag_indexes_and_nothing_else(LONG),
        values::an_invalidation_refuses_the_fills_that_began_before_it(LONG),
        values::an_invalidation_of_something_else_refuses_nothing(LONG),
        values::each_fill_of_a_batch_is_judged_by_its_own_tags(LONG),
        values::an_invalidation_may_be_repeated(LONG),
        values::an_invalidation_returns_when_it_was_done(LONG),
        values::a_value_stored_anew_goes_with_its_new_tags(LONG),
        values::a_wide_tag_goes_whole(LONG),
        values::what_is_read_while_a_wide_tag_goes_is_not_built_in(LONG),
        values::many_tags_go_at_once(LONG),
        values::a_cleared_store_has_nothing_and_refuses_what_began_before(LONG),
        values::connecting_again_keeps_what_is_there(LONG),
        values::values_expire(LONG),
        values::any_text_is_a_key_and_a_tag(LONG),
        values::a_token_older_than_the_fences_is_refused(SHORT),
        values::more_fences_than_a_store_keeps_still_refuse(LONG),
        values::values_of_another_source_are_gone(LONG),
        blocks::a_block_refuses_strict_fills_only(LONG),
        blocks::a_block_lasts_until_its_last_writer_unblocks(LONG),
        blocks::a_block_ends_with_its_time(LONG),
        blocks::a_cleared_store_blocks_for_as_long_as_a_commit_may_take(LONG),
        leases::a_claim_reads_what_is_there_and_claims_the_rest(LONG),
        leases::a_claim_of_many_keys_is_one_of_each(LONG),
        leases::a_claims_token_fills_unless_something_was_invalidated_since(LONG),
        leases::a_claimant_may_claim_again(LONG),
        leases::a_released_key_can_be_claimed(LONG),
        leases::a_claim_ends_with_its_time(LONG),
        leases::what_was_cleared_or_invalidated_is_claimed(LONG),
    }
}
