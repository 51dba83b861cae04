//! Mechanisms taken out, one at a time, without a switch in the product: a store that breaks one
//! rule of the protocol, or a database without (all of) its triggers.

use std::time::Duration;

use cache_runtime::store::{Claim, Connected, Fill, InvalidationSink, Read, Reply, Token};
use cache_runtime::{Store, Tag};
use example_app::SCHEMA;

use super::sql::Sql;

/// What is taken out, by the name that it has in the runtime (`Mechanism`) if it is one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    /// Fills are not fenced: each is offered with a token from just
    /// before it, which no fence can refuse.
    Fence,
    /// A value registers the tags of its own row and of its
    /// direct hops, not those of what it embeds.
    EmbeddedTags,
    /// Refused fills are reported as stored: nobody learns that a load came too late.
    Joiner,
    /// The database reports nothing.
    Outbox,
    /// An update of an item reports where the item is now, not where it was.
    OldImages,
    /// Strict values are not blocked before a commit, only invalidated.
    Block,
    /// A list is told where a row is now, not where it was.
    OldKeys,
    /// A list is not told that a row has moved in its order.
    OrderColumn,
}

impl Without {
    pub fn name(self) -> &'static str {
        match self {
            Self::Fence => "without_fence",
            Self::EmbeddedTags => "without_embedded_tags",
            Self::Joiner => "without_joiner",
            Self::Outbox => "without_outbox",
            Self::OldImages => "without_old_images",
            Self::Block => "without_block",
            Self::OldKeys => "without_old_keys",
            Self::OrderColumn => "without_order_column",
        }
    }

    /// Takes the mechanism out of a story's database, where it is one of the database's.
    pub async fn change_database(self, sql: &Sql) {
        match self {
            Self::Outbox => drop_triggers(sql).await,
            Self::OldImages => edit_updates(sql, "item", without_old_images).await,
            Self::OldKeys => {
                edit_updates(sql, "article", |it| replaced(it, &[OLD_KEYS, OLD_TAGS])).await
            }
            Self::OrderColumn => {
                edit_updates(sql, "article", |it| replaced(it, &[ORDER, ORDER_OF_SQLITE])).await
            }
            Self::Fence | Self::EmbeddedTags | Self::Joiner | Self::Block => {}
        }
    }
}

/// A store that breaks one rule when values are stored, and is the real one otherwise.
pub struct Mutated<S> {
    pub store: S,
    pub mutant: Without,
}

impl<S: Store> Store for Mutated<S> {
    fn fill<'a>(&'a self, token: Token, fills: &'a [Fill]) -> Reply<'a, Vec<bool>> {
        Box::pin(async move {
            match self.mutant {
                Without::Fence => {
                    let keys: Vec<String> = fills.iter().map(|fill| fill.key.clone()).collect();
                    let token = self.store.read(&keys).await?.token;
                    self.store.fill(token, fills).await
                }
                Without::EmbeddedTags => {
                    let fills: Vec<Fill> = fills.iter().map(without_embedded_tags).collect();
                    self.store.fill(token, &fills).await
                }
                Without::Joiner => {
                    let stored = self.store.fill(token, fills).await?;
                    Ok(vec![true; stored.len()])
                }
                Without::Outbox
                | Without::OldImages
                | Without::Block
                | Without::OldKeys
                | Without::OrderColumn => self.store.fill(token, fills).await,
            }
        })
    }

    fn name(&self) -> &'static str {
        self.store.name()
    }

    fn keep_told(&self, sink: InvalidationSink) {
        self.store.keep_told(sink);
    }

    fn connect<'a>(&'a self, source: &'a str) -> Reply<'a, Connected> {
        self.store.connect(source)
    }

    fn place(&self) -> i64 {
        self.store.place()
    }

    fn check(&self) -> Reply<'_, ()> {
        self.store.check()
    }

    fn adopt(&self) -> Reply<'_, ()> {
        self.store.adopt()
    }

    fn block<'a>(&'a self, writer: i64, tags: &'a [Tag], life: Duration) -> Reply<'a, ()> {
        if self.mutant == Without::Block {
            return Box::pin(async { Ok(()) });
        }
        self.store.block(writer, tags, life)
    }

    fn unblock<'a>(&'a self, writer: i64, tags: &'a [Tag]) -> Reply<'a, ()> {
        self.store.unblock(writer, tags)
    }

    fn read<'a>(&'a self, keys: &'a [String]) -> Reply<'a, Read> {
        self.store.read(keys)
    }

    fn claim<'a>(&'a self, keys: &'a [String], claimant: u64, life: Duration) -> Reply<'a, Claim> {
        self.store.claim(keys, claimant, life)
    }

    fn release<'a>(&'a self, keys: &'a [String], claimant: u64) -> Reply<'a, ()> {
        self.store.release(keys, claimant)
    }

    fn invalidate<'a>(&'a self, tags: &'a [Tag]) -> Reply<'a, Token> {
        self.store.invalidate(tags)
    }

    fn clear(&self) -> Reply<'_, ()> {
        self.store.clear()
    }
}

fn without_embedded_tags(fill: &Fill) -> Fill {
    let direct: &[&str] = if fill.key.starts_with("user_") {
        &["user#", "organization-user#user_id="]
    } else {
        &["plio#", "video#id=", "item#plio_id=", "user#id="]
    };
    let mut fill = fill.clone();
    fill.tags.retain(|tag| direct.iter().any(|start| tag.as_str().starts_with(start)));
    fill
}

async fn drop_triggers(sql: &Sql) {
    let triggers = triggers(sql, "").await;
    assert!(!triggers.is_empty(), "the database has no triggers to take out");
    for trigger in triggers {
        sql.run(trigger.drop).await;
    }
}

/// Every old row reads as the new one.
fn without_old_images(text: &str) -> String {
    text.replace("cache_toml_old", "cache_toml_new").replace("OLD.", "NEW.")
}

/// From where to where, each text that comes between the two included, and what takes its place.
type Edit = (&'static str, &'static str, &'static str);

/// The rows that were in a list and are not any more (PostgreSQL).
const OLD_KEYS: Edit = ("((SELECT cache_toml_old.", ") UNION ALL (", "((");

/// The tag of the row as it was (SQLite).
const OLD_TAGS: Edit = (
    "'blob', hex(OLD.\"author_id\"",
    "), OLD.\"author_id\")",
    "'blob', hex(NEW.\"author_id\"), NEW.\"author_id\")",
);

/// What a row is compared by with what it was (PostgreSQL),
const ORDER: Edit = (", cache_toml_", "\"created_at\"::text COLLATE \"C\"", "");

/// and on SQLite.
const ORDER_OF_SQLITE: Edit =
    (" OR OLD.\"created_at\"", "COLLATE BINARY IS NOT NEW.\"created_at\"", "");

/// Puts copies of a table's UPDATE triggers in their place, whose text is edited.
async fn edit_updates(sql: &Sql, table: &str, edit: impl Fn(&str) -> String) {
    let mut changed = 0;
    for Trigger { drop, create, function } in triggers(sql, table).await {
        if !create.contains("AFTER UPDATE") {
            continue;
        }
        // Dropped and created in one go: another connection of
        // SQLite may not have heard of the drop yet.
        if sql.is_postgres() {
            let function = format!(
                "SELECT proname::text, pg_get_functiondef(oid) FROM pg_proc WHERE proname = '{function}'"
            );
            let (name, definition) = sql.pairs(function).await.swap_remove(0);
            let (edited, mutant) = (edit(&definition), format!("{name}_mutant"));
            changed += usize::from(edited != definition);
            sql.run(edited.replace(&name, &mutant)).await;
            let create = create.replace(&format!("{name}("), &format!("{mutant}("));
            sql.run(format!("{drop}; {create}")).await;
        } else {
            let edited = edit(&create);
            changed += usize::from(edited != create);
            sql.run(format!("{drop}; {edited}")).await;
        }
    }
    assert!(changed > 0, "{table} has no UPDATE trigger to change");
}

fn replaced(text: &str, edits: &[Edit]) -> String {
    edits.iter().fold(text.to_owned(), |text, edit| replaced_by(&text, *edit))
}

/// The shortest such text each.
fn replaced_by(text: &str, (from, to, with): Edit) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some(start) = rest.find(from) {
        let after = &rest[start + from.len()..];
        let (Some(end), next) = (after.find(to), after.find(from)) else {
            break;
        };
        // It begins with the last of several beginnings.
        if let Some(next) = next.filter(|next| *next < end) {
            let until = start + from.len() + next;
            done += &rest[..until];
            rest = &rest[until..];
            continue;
        }
        done += &rest[..start];
        done += with;
        rest = &after[end + to.len()..];
    }
    done + rest
}

struct Trigger {
    drop: String,
    create: String,
    /// PostgreSQL's: the function that it runs.
    function: String,
}

/// The cache's triggers, of one table or of all.
async fn triggers(sql: &Sql, table: &str) -> Vec<Trigger> {
    let (prefix, any) = (SCHEMA.outbox, table.is_empty());
    if sql.is_postgres() {
        let wanted = format!(
            "FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE NOT t.tgisinternal AND t.tgname LIKE '{prefix}%' AND ({any} OR c.relname = '{table}') ORDER BY t.oid"
        );
        let made =
            sql.pairs(format!("SELECT pg_get_triggerdef(t.oid), p.proname::text {wanted}")).await;
        let dropped = sql
            .pairs(format!("SELECT quote_ident(t.tgname), quote_ident(c.relname) {wanted}"))
            .await;
        let both = made.into_iter().zip(dropped);
        both.map(|((create, function), (name, table))| Trigger {
            drop: format!("DROP TRIGGER {name} ON {table}"),
            create,
            function,
        })
        .collect()
    } else {
        let found = format!(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{prefix}%' AND ({any} OR tbl_name = '{table}')"
        );
        let found = sql.pairs(found).await;
        found
            .into_iter()
            .map(|(name, create)| Trigger {
                drop: format!("DROP TRIGGER \"{name}\""),
                create,
                function: String::new(),
            })
            .collect()
    }
}
