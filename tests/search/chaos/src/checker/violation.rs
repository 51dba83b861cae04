//! A read that was not allowed, and what was written and read around it.

use std::fmt;

use chaos_service::clock::{Nanos, ms};

use super::{Known, Read, Rule, Write};

#[derive(Debug)]
pub struct Violation {
    pub rule: Rule,
    pub read: Read,
    /// How old it was, and how old it might have been.
    age: Nanos,
    bound: Nanos,
    writes: Vec<Write>,
    reads: Vec<Read>,
}

impl Violation {
    pub(super) fn new(
        rule: Rule,
        read: &Read,
        age: Nanos,
        bound: Nanos,
        known: &Known,
    ) -> Violation {
        Violation {
            rule,
            read: *read,
            age,
            bound,
            writes: known.writes.iter().copied().collect(),
            reads: known.reads.iter().copied().collect(),
        }
    }
}

impl fmt::Display for Violation {
    /// Times are milliseconds before (-) and after the read began.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let read = &self.read;
        let at = |moment: Nanos| moment as f64 / 1e6 - ms(read.start);
        writeln!(
            f,
            "{}: version {} breaks the rule `{:?}`: {:.1} ms old, allowed are {:.1}",
            read.register,
            read.version,
            self.rule,
            ms(self.age),
            ms(self.bound)
        )?;
        let mut lines: Vec<(Nanos, String)> = Vec::new();
        for write in &self.writes {
            let end = match write.ended {
                Some((end, outcome)) => format!("{:9.1}, {outcome:?}", at(end)),
                None => "        ?".to_owned(),
            };
            let (process, version) = (write.process, write.version);
            let (line, way) = (write.line, write.way);
            let text =
                format!("write {version} by process {process} ({line:?}, {way:?}), returned {end}");
            lines.push((write.start, text));
        }
        for read in self.reads.iter().chain([&self.read]) {
            let (process, version) = (read.process, read.version);
            let (line, tier) = (read.line, read.tier);
            let (end, direct) = (at(read.end), if read.direct { "" } else { ", embedded" });
            let text = format!(
                "read {version} in process {process} ({line:?}, {tier:?}{direct}), returned {end:9.1}"
            );
            lines.push((read.start, text));
        }
        lines.sort();
        for (start, line) in lines {
            writeln!(f, "  {:10.1} {line}", at(start))?;
        }
        Ok(())
    }
}
