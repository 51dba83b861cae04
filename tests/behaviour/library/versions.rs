//! Two versions of a service, one after the other or side by side: what one has stored is not
//! served by the other as if it were its own.

use ledger::Base;
use ledger::versions::{new, old};

use super::bank::{Bank, story};
use crate::harness::Story;

pub fn stories() -> Vec<Story> {
    vec![story!(a_field_of_a_plain_struct_is_not_a_default).on_redis()]
}

async fn a_field_of_a_plain_struct_is_not_a_default<DB: Base>(bank: Bank<DB>) {
    let note = || "n".to_owned();
    let (older, later) = (bank.branch().await, bank.branch().await);
    for _ in 0..2 {
        let read = old::Digested::get(&older.cache, note()).await;
        let detail = old::Detail { length: 3 };
        let read = read.expect("read").expect("there");
        assert_eq!(read.detail, Some(vec![detail]));
    }
    assert_eq!(older.hits("note_n"), 1, "each version by itself is served");
    for _ in 0..2 {
        let read = new::Digested::get(&later.cache, note()).await;
        let detail = new::Detail { length: 3, first: "o".to_owned() };
        let read = read.expect("read").expect("there");
        assert_eq!(read.detail, Some(vec![detail]), "wrong answer");
    }
    assert_eq!(later.hits("note_n"), 1);
}
