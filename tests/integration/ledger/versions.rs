//! Two versions of a service, one after the other or side by side: what one has stored is not served by the other as if it were
//! its own.

use ledger::Base;
use ledger::versions::{new, old};

use super::bank::Bank;
use super::tale::{Tale, tale};

pub fn tales() -> Vec<Tale> {
    vec![tale!(a_field_of_a_plain_struct_is_not_a_default)]
}

async fn a_field_of_a_plain_struct_is_not_a_default<DB: Base>(bank: Bank<DB>) {
    let note = || "n".to_owned();
    for _ in 0..2 {
        let read = old::Digested::get(&bank.cache, note()).await.expect("read");
        let detail = old::Detail { length: 3 };
        assert_eq!(read.expect("there").detail, Some(vec![detail]));
    }
    assert_eq!(bank.hits("note_n"), 1, "each version by itself is served");
    for _ in 0..2 {
        let read = new::Digested::get(&bank.cache, note()).await.expect("read");
        let detail = new::Detail {
            length: 3,
            first: "o".to_owned(),
        };
        assert_eq!(
            read.expect("there").detail,
            Some(vec![detail]),
            "wrong answer"
        );
    }
    assert_eq!(bank.hits("note_n"), 2);
}
