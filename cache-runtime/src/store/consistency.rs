//! What a commit returns, to be shown to a reader in any process: from when on its answers are to
//! be.

use std::fmt;
use std::str::FromStr;

use super::{Epoch, Token};

/// The moment of a commit: [`Cache::at_least`](crate::Cache::at_least) never answers from before
/// it, in any process.
///
/// [`Transaction::commit`](crate::Transaction::commit) returns it. Its text is 64 hexadecimal
/// digits or `undelivered`, so that it fits a cookie or a header as it is. It says nothing of what
/// was written.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), cache_runtime::BoxError> {
/// use cache_runtime::ConsistencyToken;
/// # let cache = blog::cache().await?;
/// let mut tx = cache.begin().await?;
/// sqlx::query("UPDATE author SET name = 'Ada Lovelace' WHERE id = 1").execute(&mut *tx).await?;
/// let token = tx.commit().await?;
///
/// let text = token.to_string();
/// assert_eq!(text.parse::<ConsistencyToken>()?, token);
/// # Ok(()) }
/// ```
///
/// Whoever invents one gains nothing by it, and can do no more harm than somebody who asks for what
/// is not cached: what cannot be answered from the cache is loaded, and loads are limited by
/// `max-loads`. A service that wants to do without can sign the cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsistencyToken(Moment);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    /// The store had been told of the commit by then.
    Told(Token),
    /// It had not, or nobody knows when it was: the rows may wait in the outbox.
    Undelivered,
}

const UNDELIVERED: &str = "undelivered";

/// How many bytes the text of a [`Moment::Told`] has, two digits each.
const BYTES: usize = Epoch::LEN + size_of::<u64>();

impl ConsistencyToken {
    pub(crate) const UNDELIVERED: ConsistencyToken = ConsistencyToken(Moment::Undelivered);

    /// What was written had been invalidated when the store said this.
    pub(crate) fn told(token: Token) -> ConsistencyToken {
        ConsistencyToken(Moment::Told(token))
    }

    /// Whether what the store says, or what this process has heard of it, is from after this.
    pub(crate) fn is_before(self, said: Token) -> bool {
        matches!(self.0, Moment::Told(token) if said.includes(token))
    }

    /// What is from after both.
    pub(crate) fn and(self, other: ConsistencyToken) -> ConsistencyToken {
        match (self.0, other.0) {
            (Moment::Told(one), Moment::Told(two)) if one.includes(two) => self,
            (Moment::Told(one), Moment::Told(two)) if two.includes(one) => other,
            // Of two epochs nobody knows which is the later one.
            _ => ConsistencyToken::UNDELIVERED,
        }
    }
}

impl fmt::Display for ConsistencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment::Told(Token { epoch, clock }) = self.0 else {
            return f.write_str(UNDELIVERED);
        };
        let mut bytes = epoch.0.into_iter().chain(clock.to_be_bytes());
        bytes.try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for ConsistencyToken {
    type Err = NoConsistencyToken;

    fn from_str(text: &str) -> Result<Self, NoConsistencyToken> {
        if text == UNDELIVERED {
            return Ok(ConsistencyToken::UNDELIVERED);
        }
        let (digits, rest) = text.as_bytes().as_chunks::<2>();
        if digits.len() != BYTES || !rest.is_empty() {
            return Err(NoConsistencyToken);
        }
        let (mut epoch, mut clock) = ([0; Epoch::LEN], [0; size_of::<u64>()]);
        for (byte, digits) in epoch.iter_mut().chain(&mut clock).zip(digits) {
            *byte = byte_of(*digits).ok_or(NoConsistencyToken)?;
        }
        let clock = u64::from_be_bytes(clock);
        Ok(ConsistencyToken::told(Token { epoch: Epoch(epoch), clock }))
    }
}

fn byte_of([high, low]: [u8; 2]) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// A text that is no [`ConsistencyToken`]. The text is not in the error: it is a stranger's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoConsistencyToken;

impl fmt::Display for NoConsistencyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = 2 * BYTES;
        write!(f, "no consistency token: it is {digits} hexadecimal digits, or `{UNDELIVERED}`")
    }
}

impl std::error::Error for NoConsistencyToken {}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(epoch: u8, clock: u64) -> ConsistencyToken {
        ConsistencyToken::told(token(epoch, clock))
    }

    fn token(epoch: u8, clock: u64) -> Token {
        Token { epoch: Epoch([epoch; Epoch::LEN]), clock }
    }

    #[test]
    fn its_text_is_read_back() {
        for token in [told(0, 0), told(255, u64::MAX), told(7, 9), ConsistencyToken::UNDELIVERED] {
            let text = token.to_string();
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{text}");
            assert_eq!(text.parse(), Ok(token));
            assert_eq!(
                text.to_ascii_uppercase().parse().ok(),
                Some(token).filter(|_| text.len() == 64)
            );
        }
    }

    #[test]
    fn other_texts_are_errors() {
        let right = told(1, 2).to_string();
        let (long, spaced) = (format!("{right}0"), format!(" {right}"));
        let signed = format!("+{}", &right[1..]);
        let wide = format!("{}é", &right[2..]);
        let texts =
            ["", "0", "undelivered ", &right[1..], &right[2..], &long, &spaced, &signed, &wide];
        for text in texts {
            assert_eq!(text.parse::<ConsistencyToken>(), Err(NoConsistencyToken), "{text}");
        }
        let why = "no consistency token: it is 64 hexadecimal digits, or `undelivered`";
        assert_eq!(NoConsistencyToken.to_string(), why);
    }

    #[test]
    fn only_an_answer_of_its_epoch_is_after_it() {
        let answers = [token(1, 4), token(1, 5), token(1, 6), token(2, 9)];
        assert_eq!(answers.map(|it| told(1, 5).is_before(it)), [false, true, true, false]);
        assert_eq!(answers.map(|it| ConsistencyToken::UNDELIVERED.is_before(it)), [false; 4]);
    }

    #[test]
    fn two_are_the_later_one_if_there_is_one() {
        assert_eq!(told(1, 5).and(told(1, 6)), told(1, 6));
        assert_eq!(told(1, 6).and(told(1, 5)), told(1, 6));
        assert_eq!(told(1, 6).and(told(2, 6)), ConsistencyToken::UNDELIVERED);
        assert_eq!(told(1, 6).and(ConsistencyToken::UNDELIVERED), ConsistencyToken::UNDELIVERED);
    }
}
