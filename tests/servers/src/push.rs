//! The messages in what Redis sends, for a proxy that is to lose one.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::process::PATIENCE;

/// How a message begins on the wire: a push of three, of which the first
/// says what it is. The channel and the text follow.
const BEGINNING: &[u8] = b">3\r\n$7\r\nmessage\r\n";

#[derive(Debug, Default)]
pub(crate) struct Messages {
    losing: AtomicBool,
    lost: Notify,
}

impl Messages {
    pub(crate) fn lose_one(&self) {
        self.losing.store(true, Ordering::SeqCst);
    }

    pub async fn is_lost(&self) {
        let lost = timeout(PATIENCE, self.lost.notified()).await;
        lost.expect("a message to lose");
    }

    /// Takes the message out that is to be lost; how many of the bytes
    /// may go on: the others may be a part of it.
    pub(crate) fn take_out(&self, bytes: &mut Vec<u8>) -> usize {
        if !self.losing.load(Ordering::SeqCst) {
            return bytes.len();
        }
        let mut starts = (0..bytes.len()).filter(|at| {
            let length = BEGINNING.len().min(bytes.len() - at);
            bytes[*at..].starts_with(&BEGINNING[..length])
        });
        let Some(start) = starts.next() else {
            return bytes.len();
        };
        if let Some(end) = end_of_message(bytes, start) {
            bytes.drain(start..end);
            self.losing.store(false, Ordering::SeqCst);
            self.lost.notify_one();
            return bytes.len();
        }
        start
    }
}

/// Where the message that begins here ends, if all of it is here.
fn end_of_message(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + BEGINNING.len();
    for _ in ["channel", "text"] {
        let text = bytes.get(at..)?.strip_prefix(b"$")?;
        let digits = text.iter().position(|byte| *byte == b'\r')?;
        let length: usize = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
        // "$", the digits, and a line's end after each of the two.
        at += 1 + digits + 2 + length + 2;
    }
    (at <= bytes.len()).then_some(at)
}
