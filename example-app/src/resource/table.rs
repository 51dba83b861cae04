//! What can be written to a table, and the statements that do.
//!
//! All the names in a statement come from the constants that the nouns declare, all the values are
//! bound.

use serde_json::{Map, Value as Json};
use sqlx::error::ErrorKind;

use super::body;
use crate::Db;
use crate::db::{Tx, Value};
use crate::problem::Problem;

/// A table that the API writes to.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) path: &'static str,
    pub(crate) columns: &'static [Column],
}

/// A column that a request may set.
pub(crate) struct Column {
    /// Its name in the API.
    pub(super) field: &'static str,
    pub(super) kind: Kind,
    /// A new row needs it: the table has no default.
    pub(super) required: bool,
    pub(super) nullable: bool,
}

pub(super) enum Kind {
    /// At most so many characters.
    Text(usize),
    Integer,
    Number,
    Boolean,
    Json,
    /// The id of a row of this table; the column is the field with `_id` after it.
    Reference(&'static str),
}

impl Column {
    /// A name or the like: short, as an index may hold it.
    pub(crate) const fn line(field: &'static str) -> Column {
        Column::new(field, Kind::Text(255))
    }

    pub(crate) const fn url(field: &'static str) -> Column {
        Column::new(field, Kind::Text(2000))
    }

    pub(crate) const fn text(field: &'static str) -> Column {
        Column::new(field, Kind::Text(usize::MAX))
    }

    pub(crate) const fn integer(field: &'static str) -> Column {
        Column::new(field, Kind::Integer)
    }

    pub(crate) const fn number(field: &'static str) -> Column {
        Column::new(field, Kind::Number)
    }

    pub(crate) const fn boolean(field: &'static str) -> Column {
        Column::new(field, Kind::Boolean)
    }

    /// Anything; a null is no value.
    pub(crate) const fn json(field: &'static str) -> Column {
        Column::new(field, Kind::Json).nullable()
    }

    pub(crate) const fn reference(field: &'static str, table: &'static str) -> Column {
        Column::new(field, Kind::Reference(table))
    }

    const fn new(field: &'static str, kind: Kind) -> Column {
        Column { field, kind, required: false, nullable: false }
    }

    pub(crate) const fn required(mut self) -> Column {
        self.required = true;
        self
    }

    pub(crate) const fn nullable(mut self) -> Column {
        self.nullable = true;
        self
    }

    fn name(&self) -> String {
        match self.kind {
            Kind::Reference(_) => format!("{}_id", self.field),
            _ => self.field.to_owned(),
        }
    }
}

/// Columns and what a request sets them to.
pub(crate) struct Changes {
    table: Table,
    values: Vec<(&'static Column, Value)>,
}

impl Table {
    /// The values of a new row; the table's defaults stand for what the body leaves out.
    pub(crate) fn new_row(self, body: Map<String, Json>) -> Result<Changes, Problem> {
        body::check_complete(self.columns, &body)?;
        self.changes(body)
    }

    /// The changes to a row; what the body leaves out stays as it is.
    pub(crate) fn changes(self, body: Map<String, Json>) -> Result<Changes, Problem> {
        Ok(Changes { table: self, values: body::read(self.columns, body)? })
    }

    pub(crate) fn select(self) -> String {
        format!(r#"SELECT * FROM "{}" WHERE id IN ({{ids}}) ORDER BY id"#, self.name)
    }

    pub(crate) fn select_page(self) -> String {
        format!(r#"SELECT id FROM "{}" ORDER BY id LIMIT $1 OFFSET $2"#, self.name)
    }

    /// Until the transaction ends nobody else changes the row with this id.
    pub(crate) async fn lock(self, tx: &mut Tx, id: i64) -> Result<(), Problem> {
        let sql = format!(r#"SELECT id FROM "{}" WHERE id = $1{{lock}}"#, self.name);
        match tx.ids(&sql, [id.into()]).await?.is_empty() {
            true => Err(Problem::no_such_row(self.name)),
            false => Ok(()),
        }
    }

    pub(crate) async fn delete(self, tx: &mut Tx, id: i64) -> Result<(), Problem> {
        let sql = format!(r#"DELETE FROM "{}" WHERE id = $1 RETURNING id"#, self.name);
        match tx.ids(&sql, [id.into()]).await {
            Ok(deleted) if deleted.is_empty() => Err(Problem::no_such_row(self.name)),
            Ok(_) => Ok(()),
            Err(error) => {
                Err(self.refused(error, "Other rows refer to this one; delete those first."))
            }
        }
    }

    /// A constraint of the table, in words; any other error as it is.
    fn refused(self, error: sqlx::Error, dangling: &str) -> Problem {
        let Some(database) = error.as_database_error() else {
            return error.into();
        };
        match database.kind() {
            ErrorKind::UniqueViolation => Problem::conflict(self.clash(database.message())),
            ErrorKind::ForeignKeyViolation => Problem::conflict(dangling),
            _ => error.into(),
        }
    }

    /// Both databases name the columns in the message, each in its own way.
    fn clash(self, message: &str) -> String {
        let columns = self.columns.iter().filter(|column| message.contains(&column.name()));
        let mut fields: Vec<_> = columns.map(|column| column.field).collect();
        if fields.is_empty() {
            fields.push("id or uuid");
        }
        let noun = self.name.replace('_', "-");
        format!("Another {noun} has the same {}.", fields.join(" and "))
    }
}

impl Changes {
    /// Says which reference dangles. (The foreign keys would only say that one does.)
    pub(crate) async fn check_references(&self, db: &Db) -> Result<(), Problem> {
        for (column, value) in &self.values {
            if let (Kind::Reference(table), Value::Integer(Some(id))) = (&column.kind, value) {
                let sql = format!(r#"SELECT id FROM "{table}" WHERE id = $1"#);
                if db.ids(&sql, [value.clone()]).await?.is_empty() {
                    let field = column.field;
                    return Err(Problem::invalid(format!(
                        "`{field}` refers to {table} {id}, which does not exist."
                    )));
                }
            }
        }
        Ok(())
    }

    /// Inserts the row; its id.
    pub(crate) async fn insert(self, tx: &mut Tx) -> Result<i64, Problem> {
        let (columns, places): (Vec<_>, Vec<_>) = (1..)
            .zip(&self.values)
            .map(|(n, (column, _))| (format!("\"{}\"", column.name()), format!("${n}")))
            .unzip();
        let sql = format!(
            r#"INSERT INTO "{}" ({}) VALUES ({}) RETURNING id"#,
            self.table.name,
            columns.join(", "),
            places.join(", "),
        );
        Ok(self.run(tx, &sql, None).await?.first().copied().unwrap_or_default())
    }

    /// Updates the row with this id.
    pub(crate) async fn update(self, tx: &mut Tx, id: i64) -> Result<(), Problem> {
        if self.values.is_empty() {
            return Ok(());
        }
        let mut sets: Vec<_> = (1..)
            .zip(&self.values)
            .map(|(n, (column, _))| format!("\"{}\" = ${n}", column.name()))
            .collect();
        sets.push("updated_at = {now}".to_owned());
        let sql = format!(
            r#"UPDATE "{}" SET {} WHERE id = ${} RETURNING id"#,
            self.table.name,
            sets.join(", "),
            sets.len(),
        );
        let name = self.table.name;
        match self.run(tx, &sql, Some(id)).await?.is_empty() {
            true => Err(Problem::no_such_row(name)),
            false => Ok(()),
        }
    }

    async fn run(self, tx: &mut Tx, sql: &str, id: Option<i64>) -> Result<Vec<i64>, Problem> {
        let values = self.values.into_iter().map(|(_, value)| value).chain(id.map(Value::from));
        let values: Vec<Value> = values.collect();
        tx.ids(sql, values).await.map_err(|error| {
            self.table.refused(error, "A row that this one refers to has just been deleted.")
        })
    }
}
