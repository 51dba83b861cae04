//! The small questions of [`ast`], and what the expansion of a struct has.

mod goldens;

use std::path::{Path, PathBuf};

use cache_schema::Schema;
use syn::{DeriveInput, Type, parse_quote};

use crate::ast::{Field, Struct, kebab_case};
use crate::cached::cached;
use crate::check::{pascal_case, variant};
use crate::rows::rows;
use crate::schema::data;

fn schema() -> Schema {
    let text = std::fs::read_to_string(folder().join("cache.toml")).expect("the schema is there");
    Schema::parse("cache.toml", &text).expect("the schema is right")
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/compile/expansions")
}

/// A value that is stored stays good.

#[test]
fn the_shape_does_not_know_how_values_are_served() {
    let text = std::fs::read_to_string(folder().join("cache.toml")).expect("the schema is there");
    let served = text.replace(
        "key = \"plio_{id}\"",
        "key = \"plio_{id}\"\nnear = { entries = 9 }\ngrace = \"1m\"\nload-timeout = \"1s\"\n\
         lease = \"1s\"\non-write = \"refresh\"\nverify = 0.5\nmax-value = \"9MB\"\nmax-tags = 9",
    );
    let expansion = |text: &str| {
        let schema = Schema::parse("cache.toml", text).expect("the schema is right");
        let row = parse("struct Plio { id: i64, uuid: String }");
        let model = schema.model("plio").expect("a model");
        let policy = model.cached.as_ref().expect("it has a key");
        let file = schema.fingerprint().to_string();
        let rows = rows(&row, model, &schema).to_string().replace(&file, "…");
        // After it come messages, which name lines of the file.
        let (rows, _) = rows.split_once("const _ :").expect("there are assertions");
        [rows.to_owned(), cached(&row, model, policy, &schema).to_string()]
    };
    let ([rows, cached], [served_rows, served_cached]) = (expansion(&text), expansion(&served));
    assert_eq!(rows, served_rows);
    assert_ne!(cached, served_cached);
    let another = text.replace("key = \"plio_{id}\"", "key = \"plio_{id}\"\nversion = 2");
    assert_ne!(rows, expansion(&another)[0]);
}

#[test]
fn only_what_is_near_can_be_stale() {
    let max_staleness = |model: &str| {
        let text = format!("[cache]\nnear = {{ max-staleness = \"3s\" }}\n[model.plio]\n{model}");
        let schema = Schema::parse("cache.toml", &text).expect("the schema is right");
        let data = data(&parse_quote!(::cache_runtime), &schema, &[]).to_string();
        let (_, after) = data.split_once("max_staleness : ").expect("it is there");
        let (value, _) = after.split_once(" , strict").expect("it is followed");
        value.to_owned()
    };
    let near = max_staleness("key = \"plio_{id}\"\nnear = { bytes = \"1MB\" }");
    assert!(near.contains("Some") && near.contains("3000u64"), "{near}");
    let not = max_staleness("key = \"plio_{id}\"");
    assert!(not.ends_with("None"), "{not}");
}

#[test]
fn a_struct_is_named_like_its_model() {
    for (name, model) in [
        ("Plio", "plio"),
        ("OrganizationUser", "organization-user"),
        ("HTTPRoute", "http-route"),
        ("RouteHTTP", "route-http"),
        ("Mp3File", "mp3-file"),
        ("V2", "v2"),
        ("A", "a"),
        ("ABTest", "ab-test"),
        ("", ""),
    ] {
        assert_eq!(kebab_case(name), model, "{name}");
    }
}

#[test]
fn what_is_named_in_the_file_has_a_name_in_rust() {
    for (name, rust) in [
        ("organization-user", "OrganizationUser"),
        ("uuid", "Uuid"),
        ("created_by_id", "CreatedById"),
        ("msgpack", "Msgpack"),
        ("a__b", "AB"),
    ] {
        assert_eq!(pascal_case(name), rust, "{name}");
        assert!(variant(name).is_some(), "{name}");
    }
    for name in ["_1", "self", "_"] {
        assert!(variant(name).is_none(), "{name}");
    }
}

#[test]
fn containers_are_peeled_off_a_row() {
    let text = |ty: &Type| quote::ToTokens::to_token_stream(ty).to_string();
    for (ty, row, not_null) in [
        ("Item", "Item", "Item"),
        ("Vec<Item>", "Item", "Vec < Item >"),
        ("Option<Item>", "Item", "Item"),
        ("std::option::Option<Box<Item>>", "Item", "Box < Item >"),
        (
            "Option<std::sync::Arc<Vec<model::Item>>>",
            "model :: Item",
            "std :: sync :: Arc < Vec < model :: Item > >",
        ),
        ("HashMap<i64, Item>", "HashMap < i64 , Item >", "HashMap < i64 , Item >"),
        ("(Item, Item)", "(Item , Item)", "(Item , Item)"),
        ("Vec", "Vec", "Vec"),
    ] {
        let field = field(&format!("rows: {ty}"));
        assert_eq!(text(field.row()), row, "{ty}");
        assert_eq!(text(field.not_null()), not_null, "{ty}");
    }
}

#[test]
fn a_field_embeds_what_it_says_or_what_its_type_is_named_like() {
    for (text, model) in [
        ("items: Vec<Item>", Some("item")),
        ("any: Option<Box<crate::OrganizationUser>>", Some("organization-user")),
        ("any: Vec<r#Item>", Some("item")),
        (
            "#[cached(embeds = \"organization-user\")] any: Vec<Membership>",
            Some("organization-user"),
        ),
        ("#[cached(embeds = \"user\")] any: Item", Some("user")),
        ("#[cached(embeds = \"usre\")] any: Item", None),
        ("any: Vec<Membership>", None),
        ("any: i64", None),
        ("any: [u8; 2]", None),
        ("any: Vec<Self>", Some("user")),
        ("any: Vec<crate::Row>", Some("user")),
        ("#[cached(column = \"any\")] any: Item", None),
    ] {
        assert_eq!(field(text).rows.as_deref(), model, "{text}");
    }
}

#[test]
fn columns_are_named_by_the_attribute_or_the_field() {
    let row =
        parse("struct A { id: i64, r#type: String, #[cached(column = \"user_id\")] user: i64 }");
    let columns: Vec<&str> = row.fields.iter().map(|field| &*field.column).collect();
    assert_eq!(columns, ["id", "type", "user_id"]);
    assert!(row.column("r#type").is_none() && row.column("user").is_none());

    let names = |columns: &[&str]| {
        let columns: Vec<String> = columns.iter().map(|&column| column.to_owned()).collect();
        let fields = row.columns(&columns)?;
        Some(fields.iter().map(|field| field.ident.to_string()).collect::<Vec<_>>())
    };
    assert_eq!(names(&["user_id", "id"]).expect("both are there"), ["user", "id"]);
    assert_eq!(names(&["user_id", "name"]), None);
}

#[test]
fn what_a_struct_does_not_carry_it_hooks() {
    let row = parse(
        "#[cached(dependencies(\"user\", \"video\"), dependencies(\"question\"))] \
         struct Plio { id: i64, items: Vec<Item> }",
    );
    for (model, hooked) in [("item", false), ("user", true), ("question", true)] {
        assert_eq!(row.hooks(model), hooked, "{model}");
    }
}

#[test]
fn serde_is_understood_where_it_skips() {
    for (attribute, skips) in [
        ("#[serde(skip)]", true),
        ("#[serde(default, skip_serializing)]", true),
        ("#[serde(default = \"now\", skip_deserializing)]", true),
        ("#[serde(rename(serialize = \"a\", deserialize = \"b\"), skip)]", true),
        ("#[serde(rename = \"a\")] #[serde(skip)]", true),
        ("#[serde(skip_serializing_if = \"Option::is_none\")]", false),
        ("#[serde(rename = \"skip\")]", false),
        ("#[serde(bound(serialize = \"T: A\"))]", false),
        ("#[sqlx(skip)]", false),
        ("", false),
    ] {
        assert_eq!(field(&format!("{attribute} a: i64")).serde.skips(), skips, "{attribute}");
    }
}

#[test]
fn serde_is_understood_where_it_renames() {
    for (attribute, name) in [
        ("#[serde(rename = \"a\")]", "a"),
        ("#[serde(default, rename = \"a\", skip_serializing_if = \"x\")]", "a"),
        ("#[serde(rename(serialize = \"a\", deserialize = \"b\"))]", "a"),
        ("#[serde(rename(deserialize = \"b\"))]", "type"),
        ("#[serde(alias = \"b\")]", "type"),
        ("", "type"),
    ] {
        let row =
            parse(&format!("#[cached(model = \"user\")] struct Row {{ {attribute} r#type: i64 }}"));
        assert_eq!(row.serde_name(&row.fields[0]), name, "{attribute}");
    }
}

#[test]
fn the_fields_that_hold_ignored_columns_are_named() {
    let text = "[model.plio]\nkey = \"plio_{id}\"\nignores = [\"seen\", \"visits\"]\ndepends-on = [\"item\"]\n\
                [model.item]\nreferences = { plio_id = \"plio\" }";
    let ignored = |text: &str, row: &str| {
        let schema = Schema::parse("cache.toml", text).expect("the schema is right");
        let (input, mut errors) = (syn::parse_str(row).expect("it is Rust"), Vec::new());
        let row = Struct::parse(&input, &schema, &mut errors).expect("it is a struct");
        let rows = rows(&row, schema.model(&row.model).expect("a model"), &schema).to_string();
        let (_, ignored) = rows.split_once("fn ignored")?;
        Some(ignored.replace(' ', ""))
    };
    let row = "struct Plio { id: i64, #[cached(column = \"seen\")] at: i64, \
               #[serde(rename = \"count\")] visits: i64, items: Vec<Item> }";
    let both = ignored(text, row).expect("it is there");
    assert!(both.contains("names.extend([\"at\",\"count\"]);"), "{both}");
    assert!(both.contains("<Vec<Item>as::cache_runtime::Rows>::ignored(names);"), "{both}");
    assert_eq!(ignored(text, "struct Item { id: i64, plio_id: i64 }"), None);
    let none = text.replace("ignores", "lookup");
    assert_eq!(ignored(&none, row), None);
}

#[test]
fn the_fingerprint_sees_serde_and_nothing_else_of_the_attributes() {
    let row = parse(
        "#[serde(rename_all = \"camelCase\")] #[allow(dead_code)] \
         struct A { #[doc = \"x\"] #[serde(rename = \"b\")] a: i64 }",
    );
    assert_eq!(row.serde_text, "serde (rename_all = \"camelCase\")");
    assert_eq!(row.fields[0].serde_text, "serde (rename = \"b\")");
}

fn field(text: &str) -> Field {
    let mut row = parse(&format!("#[cached(model = \"user\")] struct Row {{ {text} }}"));
    row.fields.remove(0)
}

#[track_caller]
pub(crate) fn parse(text: &str) -> Struct {
    let input: DeriveInput = syn::parse_str(text).expect("it is Rust");
    let mut errors = Vec::new();
    let row = Struct::parse(&input, &schema(), &mut errors).expect("it is a struct");
    assert!(errors.is_empty(), "{errors:?}");
    row
}
