//! "90s", "1h30m".

use std::time::Duration;

/// The units with their milliseconds, from the largest. "ms" stands before the units it begins or
/// ends with, so that the first match is right.
const UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// More than this is a mistake, and would overflow the sums that a clock makes with it.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

/// Integers with units, the larger unit first.
///
/// # Errors
///
/// What is wrong with it, as a label under the text.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    if text.is_empty() {
        return Err("this is empty".to_owned());
    }
    let mut rest = text;
    let mut sum = Duration::ZERO;
    let mut last_unit = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        if number.is_empty() {
            return Err(format!("expected an integer at `{rest}`"));
        }
        let Some((name, unit)) = UNITS.iter().find(|(name, _)| after.starts_with(name)) else {
            return Err(format!("`{number}` has no unit"));
        };
        if *unit >= last_unit {
            return Err(format!("`{number}{name}` comes after a unit that is not larger"));
        }
        let part = number.parse::<u64>().ok().and_then(|number| number.checked_mul(*unit));
        sum = part
            .and_then(|part| sum.checked_add(Duration::from_millis(part)))
            .filter(|sum| *sum <= LONGEST)
            .ok_or("more than a hundred years")?;
        last_unit = *unit;
        rest = &after[name.len()..];
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, millis) in [
            ("0s", 0),
            ("250ms", 250),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1d2h3m4s5ms", 93_784_005),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for bad in [
            "",
            "5",
            "m",
            "5 m",
            "5min",
            "-5s",
            "1.5h",
            "30m1h",
            "5m5m",
            "99999999999999999999d",
            "36501d",
            "5é",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
