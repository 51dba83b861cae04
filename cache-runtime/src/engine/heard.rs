//! Up to which moment of the store this process has heard what is invalidated.

use std::sync::{PoisonError, RwLock};

use crate::store::Token;

/// What the store has told of before it answered with a token, this process has heard of: see
/// [`Store::keep_told`](crate::store::Store::keep_told). So what is near by then, and may be
/// served, is from no earlier moment.
#[derive(Default)]
pub(crate) struct Heard(RwLock<Option<Token>>);

impl Heard {
    /// The latest moment, of the epoch that answered last.
    pub(crate) fn until(&self) -> Option<Token> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The store has answered with this.
    pub(crate) fn answered(&self, token: Token) {
        let is_known = |until: Option<Token>| until.is_some_and(|it| it.includes(token));
        // Nearly always, as the clock goes on only when something is invalidated: readers need not
        // wait for each other.
        if is_known(self.until()) {
            return;
        }
        let mut until = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Once more: two answers may come in another order than they were given in. One of another
        // epoch takes the place of what is here, and be it the older one. It stays true that all of
        // that was heard; at the worst somebody goes to the store who need not.
        if !is_known(*until) {
            *until = Some(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Epoch;

    #[test]
    fn it_goes_back_only_with_another_epoch() {
        let token = |epoch, clock| Token { epoch: Epoch([epoch; Epoch::LEN]), clock };
        let heard = Heard::default();
        assert_eq!(heard.until(), None);
        for (answered, until) in
            [((1, 5), (1, 5)), ((1, 4), (1, 5)), ((1, 6), (1, 6)), ((2, 1), (2, 1))]
        {
            heard.answered(token(answered.0, answered.1));
            assert_eq!(heard.until(), Some(token(until.0, until.1)));
        }
    }
}
