//! The text of a token: `epoch:clock`.

use crate::store::{Epoch, Token};

pub(super) fn parse_token(text: &[u8]) -> Option<Token> {
    let (epoch, clock) = text.split_first_chunk::<{ Epoch::LEN }>()?;
    let clock = std::str::from_utf8(clock.strip_prefix(b":")?).ok()?.parse().ok()?;
    Some(Token { epoch: Epoch(*epoch), clock })
}
