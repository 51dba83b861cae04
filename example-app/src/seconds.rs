//! Places in a video.

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

/// Seconds, sent as an integer when whole: `42`, `127.5`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Seconds(pub f64);

/// Up to here every whole `f64` is the integer that it looks like.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 && self.0.abs() <= EXACT {
            serializer.serialize_i64(self.0 as i64)
        } else {
            serializer.serialize_f64(self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seconds;

    #[test]
    fn whole_seconds_are_sent_as_integers() {
        for (seconds, sent) in [(42.0, "42"), (127.5, "127.5"), (-0.0, "0"), (1e300, "1e+300")] {
            assert_eq!(serde_json::json!(Seconds(seconds)).to_string(), sent);
        }
    }
}
