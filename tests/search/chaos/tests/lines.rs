//! The line with another `prefix` is the same service: what a file of
//! one says, that of the other says as well.

#[test]
fn the_other_files_differ_by_their_prefix_alone() {
    let pairs = [
        [include_str!("../service/cache.toml"), include_str!("../other/cache.toml")],
        [include_str!("../strict/cache.toml"), include_str!("../other/strict/cache.toml")],
    ];
    for pair in pairs {
        let [one, other] = pair.map(|file| {
            let lines = file.lines().map(str::trim);
            let of_prefix = |line: &&str| line.starts_with("prefix = ");
            let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
            said.partition::<Vec<_>, _>(of_prefix)
        });
        assert_ne!(one.0, other.0);
        assert_eq!(one.1, other.1);
    }
}
