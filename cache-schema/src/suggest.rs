//! "did you mean".

/// The known name that `unknown` most likely stands for: the one with the fewest edits between them
/// (insertions, deletions, replacements, swaps of neighbours), if they are few for its length.
///
/// ```
/// assert_eq!(cache_schema::suggest("vidoe", ["video", "user"]), Some("video"));
/// assert_eq!(cache_schema::suggest("banana", ["video", "user"]), None);
/// ```
pub fn suggest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (unknown.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(unknown, candidate), candidate))
        .filter(|(edits, _)| *edits <= most)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `video`?", if there is something to suggest.
pub(crate) fn did_you_mean<'a>(
    unknown: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    suggest(unknown, known).map(|known| format!("did you mean `{known}`?"))
}

/// The optimal string alignment distance.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
    // rows[i][j]: the edits between the first i characters of a and the first j of b.
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let edits = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
                let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
                if swapped { edits.min(rows[i - 2][j - 2] + 1) } else { edits }
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_wins_and_far_ones_do_not_count() {
        assert_eq!(suggest("depends_on", ["ignores", "depends-on"]), Some("depends-on"));
        assert_eq!(suggest("itme", ["items", "item"]), Some("item"));
        assert_eq!(suggest("Video", ["video"]), Some("video"));
        assert_eq!(suggest("id", ["uuid"]), None);
        assert_eq!(suggest("", ["a"]), Some("a"));
        assert_eq!(suggest("é", ["e"]), Some("e"));
    }
}
