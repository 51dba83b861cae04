//! What the environment says.

use std::fmt;
use std::time::Duration;

use crate::Limits;

/// Where the service finds its servers, and where it listens.
#[derive(Clone)]
pub struct Config {
    /// `DATABASE_URL`
    pub database_url: String,
    /// `REDIS_URL`; without it the cache lives in this process.
    pub redis_url: Option<String>,
    /// `LISTEN`
    pub listen: String,
    /// `REQUEST_TIMEOUT`, `DRAIN_TIMEOUT`, `MAX_CONNECTIONS`
    pub limits: Limits,
}

impl Config {
    /// What `--help` prints.
    pub const HELP: &str = "\
Plio's API, served from cache.

Usage: example-app

Environment:
  DATABASE_URL     sqlite://plio.db (the default: a file in this folder, made when missing)
                   postgres://user:password@localhost/plio
  REDIS_URL        redis://localhost:6379/0 (without it the cache lives in this process)
  LISTEN           127.0.0.1:3000 (the default)
  REQUEST_TIMEOUT  10 (the default): seconds that the head of a request may take to arrive, and then its body
  DRAIN_TIMEOUT    10 (the default): seconds that requests have to end after SIGTERM or Ctrl-C; a second one ends them
  MAX_CONNECTIONS  512 (the default): when there are more, the one that is idle the longest is closed
  RUST_LOG         warn (the default), info, example_app=debug, sqlx=debug, …";

    /// Reads the variables; the error is a sentence that names the one that is wrong.
    pub fn from_env() -> Result<Config, String> {
        Config::from_variables(|name| match std::env::var(name) {
            Ok(value) if value.is_empty() => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(format!("{name} is not UTF-8")),
        })
    }

    fn from_variables(
        variable: impl Fn(&str) -> Result<Option<String>, String>,
    ) -> Result<Config, String> {
        let config = Config {
            database_url: variable("DATABASE_URL")?.unwrap_or("sqlite://plio.db".to_owned()),
            redis_url: variable("REDIS_URL")?,
            listen: variable("LISTEN")?.unwrap_or("127.0.0.1:3000".to_owned()),
            limits: limits(&variable)?,
        };
        check("DATABASE_URL", &config.database_url, &["sqlite:", "postgres:", "postgresql:"])?;
        if let Some(url) = &config.redis_url {
            check("REDIS_URL", url, &["redis:"])?;
        }
        match config.listen.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => Ok(config),
            _ => Err("LISTEN must be an address and a port, such as 127.0.0.1:3000".to_owned()),
        }
    }
}

/// Without the addresses: they may hold passwords.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

fn limits(variable: impl Fn(&str) -> Result<Option<String>, String>) -> Result<Limits, String> {
    let number = |name: &str, default| match variable(name)?.map(|value| value.parse()) {
        None => Ok(default),
        Some(Ok(number @ 1..=1_000_000)) => Ok(number),
        Some(_) => Err(format!("{name} must be a whole number from 1 to 1000000")),
    };
    let seconds =
        |name: &str, default: Duration| number(name, default.as_secs()).map(Duration::from_secs);
    let default = Limits::default();
    Ok(Limits {
        request: seconds("REQUEST_TIMEOUT", default.request)?,
        drain: seconds("DRAIN_TIMEOUT", default.drain)?,
        connections: number("MAX_CONNECTIONS", default.connections as u64)? as usize,
    })
}

/// The message does not repeat the URL: it may hold a password.
fn check(name: &str, url: &str, schemes: &[&str]) -> Result<(), String> {
    match schemes.iter().any(|scheme| url.starts_with(scheme)) {
        true => Ok(()),
        false => Err(format!("{name} must start with {}//", schemes.join("// or "))),
    }
}

#[cfg(test)]
mod tests {
    use super::Config;

    fn config(set: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_variables(|name| {
            Ok(set.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned()))
        })
    }

    #[test]
    fn an_empty_environment_is_a_laptop() {
        let config = config(&[]).expect("the defaults are right");
        assert_eq!(config.database_url, "sqlite://plio.db");
        assert_eq!(config.redis_url, None);
        assert_eq!(config.listen, "127.0.0.1:3000");
    }

    #[test]
    fn a_wrong_variable_is_named() {
        for (name, value, sentence) in [
            (
                "DATABASE_URL",
                "mysql://x",
                "DATABASE_URL must start with sqlite:// or postgres:// or postgresql://",
            ),
            ("REDIS_URL", "localhost", "REDIS_URL must start with redis://"),
            ("LISTEN", "3000", "LISTEN must be an address and a port, such as 127.0.0.1:3000"),
            ("MAX_CONNECTIONS", "0", "MAX_CONNECTIONS must be a whole number from 1 to 1000000"),
            ("DRAIN_TIMEOUT", "10s", "DRAIN_TIMEOUT must be a whole number from 1 to 1000000"),
        ] {
            assert_eq!(config(&[(name, value)]).expect_err(name), sentence);
        }
    }
}
