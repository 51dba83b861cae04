//! The few words that the two databases spell differently.

pub(super) struct Dialect {
    /// The ids in the JSON list `$1`. One text holds any number of ids, so the statement is
    /// prepared once.
    ids: &'static str,
    /// The time of the transaction, as the tables' defaults write it.
    now: &'static str,
    /// What a `SELECT` ends with whose rows are to stay as they are until the transaction ends.
    lock: &'static str,
    /// All that the transaction reads is of one moment.
    pub(super) snapshot: Option<&'static str>,
}

impl Dialect {
    pub(super) const SQLITE: Dialect = Dialect {
        ids: "SELECT value AS id FROM json_each($1)",
        now: "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')",
        // A transaction that has begun to write is alone in SQLite, and those of a cache begin so.
        lock: "",
        snapshot: None,
    };

    pub(super) const POSTGRES: Dialect = Dialect {
        ids: "SELECT value::bigint AS id FROM json_array_elements_text($1::json)",
        now: "now()",
        // As an `UPDATE` takes it.
        lock: " FOR NO KEY UPDATE",
        snapshot: Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
    };

    /// `sql` with `{ids}`, `{now}` and `{lock}` in this database's words.
    pub(super) fn spell(&self, sql: &str) -> String {
        sql.replace("{ids}", self.ids).replace("{now}", self.now).replace("{lock}", self.lock)
    }
}
