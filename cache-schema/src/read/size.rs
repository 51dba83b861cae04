//! "16MB", "64KiB".

/// The units with their bytes.
const UNITS: [(&str, usize); 6] = [
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// An integer with a unit.
///
/// # Errors
///
/// What is wrong with it, as a label under the text.
pub(super) fn parse(text: &str) -> Result<usize, String> {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    if number.is_empty() {
        return Err("this does not begin with an integer".to_owned());
    }
    if unit.is_empty() {
        return Err(format!("`{number}` has no unit"));
    }
    let Some((_, bytes)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("`{unit}` is none of the units"));
    };
    let number = number.parse::<usize>().ok();
    let size = number.and_then(|number| number.checked_mul(*bytes));
    size.ok_or_else(|| "more than a process can hold".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0MB", 0),
            ("500KB", 500_000),
            ("16MB", 16_000_000),
            ("1GB", 1_000_000_000),
            ("64KiB", 65_536),
            ("16MiB", 16_777_216),
            ("1GiB", 1_073_741_824),
        ] {
            assert_eq!(parse(text), Ok(bytes), "{text}");
        }
        for bad in [
            "",
            "MB",
            "500",
            "500B",
            "16 MB",
            "16mb",
            "16M",
            "1.5MB",
            "-1MB",
            "1MB1KB",
            "99999999999999999999KB",
            "99999999999GiB",
            "1é",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
