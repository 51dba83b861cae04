//! What the server tells the near caches of all processes: which keys were deleted.
//!
//! Every invalidation advances the clock and publishes, in the same script, "old clock, new clock,
//! keys". So the messages are a chain, and one that does not begin where the last one ended says
//! that some were lost. They come over the connection that commands go over, in the server's order,
//! and are taken in where the connection is read: before an answer is seen, all that was published
//! before it was taken in. An answer tells the clock as well; if no message has led up to it,
//! messages were lost too.
//!
//! A fill that finds that a value was evicted forgets what it was built from. It publishes that
//! without advancing the clock: both are what it is. Nothing was invalidated, but nobody would tell
//! if it were.

use std::sync::{Arc, Mutex};

use redis::{PushInfo, PushKind, Value};

use super::token::parse_token;
use crate::lock::locked;
use crate::store::{InvalidationSink, Token};

/// What has been heard over one connection.
pub(super) struct Heard {
    sink: InvalidationSink,
    /// What is before the keys of values.
    prefix: Arc<str>,
    /// Where the last message has led to.
    last: Mutex<Option<Token>>,
}

impl Heard {
    /// Whatever was told over an earlier connection: what came after it was missed.
    pub(super) fn nothing_yet(sink: InvalidationSink, prefix: Arc<str>) -> Heard {
        sink.forget_all();
        Heard { sink, prefix, last: Mutex::default() }
    }

    pub(super) fn push(&self, push: &PushInfo) {
        match (&push.kind, &push.data[..]) {
            (PushKind::Message, [_, Value::BulkString(message)]) => self.message(message),
            (PushKind::Disconnection, _) => self.sink.forget_all(),
            _ => {}
        }
    }

    fn message(&self, message: &[u8]) {
        let mut lines = message.split(|byte| *byte == b'\n');
        let clocks = lines.next().unwrap_or_default();
        let (old, new) = match clocks.iter().position(|byte| *byte == b' ') {
            Some(at) => (parse_token(&clocks[..at]), parse_token(&clocks[at + 1..])),
            None => (None, None),
        };
        let mut last = locked(&self.last);
        if old.is_none() || *last != old {
            self.sink.lost();
        }
        *last = new;
        let keys = lines.filter_map(|key| std::str::from_utf8(key).ok());
        for key in keys.filter_map(|key| key.strip_prefix(&*self.prefix)) {
            match old == new {
                true => self.sink.evicted(key),
                false => self.sink.invalidated(key),
            }
        }
    }

    /// An answer that was given at this time.
    pub(super) fn check(&self, token: Token) {
        let mut last = locked(&self.last);
        if !last.is_some_and(|last| last.includes(token)) {
            self.sink.lost();
            *last = Some(token);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::local::near::{Moment, NearFence};

    /// Whether a value of now outlives what happens.
    fn survives(near: &NearFence, happens: impl FnOnce()) -> bool {
        near.trust(Moment::now());
        let minute = Duration::from_secs(60);
        let value = near.validity("plio_1", near.generation(), minute);
        happens();
        near.allows(&value)
    }

    fn token(clock: u64) -> Token {
        parse_token(at(clock).as_bytes()).unwrap()
    }

    fn at(clock: u64) -> String {
        format!("abcdefghijklmnopqrstuvwx:{clock}")
    }

    #[test]
    fn a_lost_message_empties_the_near_cache() {
        let near = Arc::new(NearFence::new(Duration::from_secs(60)));
        let heard = Heard::nothing_yet(InvalidationSink::new(near.clone()), "".into());
        let message = |old: &str, new: &str, keys: &str| {
            heard.message(format!("{old} {new}\n{keys}").as_bytes());
        };
        assert!(!survives(&near, || heard.check(token(1))), "the first");
        assert!(survives(&near, || message(&at(1), &at(2), "plio_2\nplio_3")));
        assert!(!survives(&near, || message(&at(2), &at(3), "plio_1")));
        assert!(survives(&near, || heard.check(token(3))));
        assert!(survives(&near, || heard.check(token(2))), "an old answer");
        // Number 4 is lost, and the next message shows it.
        assert!(!survives(&near, || message(&at(4), &at(5), "plio_2")));
        // Number 6 is lost, and an answer shows it.
        assert!(!survives(&near, || heard.check(token(6))));
        // What was evicted.
        assert!(survives(&near, || message(&at(6), &at(6), "plio_2")));
        assert!(!survives(&near, || message(&at(6), &at(6), "plio_1")));
        assert!(!survives(&near, || message(&at(5), &at(5), "plio_2")));
        // A new epoch follows nothing.
        assert!(!survives(&near, || message("", &at(7), "")));
        assert!(survives(&near, || message(&at(7), &at(8), "")));
        assert!(!survives(&near, || heard.message(b"nonsense")));
    }
}
