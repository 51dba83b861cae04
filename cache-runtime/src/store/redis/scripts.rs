//! What is done in Redis in one step: scripts.

use redis::Script;

/// The scripts, each in a file of its own.
pub(super) struct Scripts {
    pub(super) connect: Script,
    pub(super) fill: Script,
    pub(super) invalidate: Script,
    pub(super) block: Script,
    pub(super) tidy: Script,
    pub(super) claim: Script,
    pub(super) release: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            connect: Script::new(include_str!("../connect.lua")),
            fill: script(include_str!("../fill.lua")),
            invalidate: script(include_str!("../invalidate.lua")),
            block: Script::new(include_str!("../block.lua")),
            tidy: script(include_str!("../tidy.lua")),
            claim: Script::new(include_str!("../claim.lua")),
            release: Script::new(include_str!("../release.lua")),
        }
    }
}

/// With what the scripts share, below the line that is its flags, if it has one.
fn script(text: &str) -> Script {
    let (flags, rest) = match text.starts_with("#!") {
        true => text.split_at(text.find('\n').map_or(0, |end| end + 1)),
        false => ("", text),
    };
    Script::new(&format!("{flags}{}{rest}", include_str!("../shared.lua")))
}
