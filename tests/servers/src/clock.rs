//! A time of day that can be set.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server's time of day, which can be set while it runs: see `clock.c`.
#[derive(Debug, Clone)]
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// One that shows the real time, and has its files in this directory.
    ///
    /// # Panics
    /// When there is no C compiler.
    pub fn in_dir(dir: &Path) -> Clock {
        let clock = Clock { library: dir.join("clock.so"), file: dir.join("clock") };
        std::fs::write(&clock.file, 0_i64.to_ne_bytes()).expect("a file");
        let mut compiler = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-x", "c", "-", "-o"])
            .arg(&clock.library)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a C compiler, `cc`");
        let source = include_bytes!("clock.c");
        let given = compiler.stdin.take().map(|mut it| it.write_all(source));
        let made = compiler.wait().expect("it ends");
        assert!(matches!(given, Some(Ok(()))) && made.success(), "clock.c");
        clock
    }

    /// So many milliseconds fast, or slow.
    ///
    /// # Panics
    /// When the file cannot be written.
    pub fn set(&self, ms: i64) {
        // In place: it is mapped by the servers that see it.
        let file = std::fs::OpenOptions::new().write(true).open(&self.file);
        let written = file.and_then(|mut file| file.write_all(&ms.to_ne_bytes()));
        written.unwrap_or_else(|error| panic!("{}: {error}", self.file.display()));
    }

    /// With which a program sees it.
    pub(crate) fn environment(&self) -> [(&'static str, OsString); 2] {
        [("LD_PRELOAD", self.library.clone().into()), ("CLOCK_FILE", self.file.clone().into())]
    }
}
