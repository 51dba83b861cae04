//! The parts of a list's statements. `{keys}` stands for a table `k` with the columns of the key,
//! `k1`, `k2` …, as in the statements of [`crate::load`].

use cache_schema::{List, ListStep, Schema};
use proc_macro2::TokenStream;
use quote::quote;

use crate::literal::fnv;
use crate::load::sql::{of_alias, ordered, table_of};

/// All of them.
pub(super) fn of(runtime: &TokenStream, list: &List, schema: &Schema) -> TokenStream {
    let ids = schema.model(&list.listed().model).map(|model| &model.id[..]).unwrap_or_default();
    let ids = of_alias("t", ids);
    let order: Vec<(String, bool)> =
        list.order.iter().map(|order| (order.column.clone(), order.descends)).collect();
    let (from, order) = (listed(list, schema), ordered(&order));
    let steps = list.steps.iter().enumerate().skip(1).map(|(at, step)| {
        let before = &list.steps[at - 1];
        let columns = of_alias("j", &before.leads);
        let not_null: Vec<String> = columns.iter().map(|it| format!("{it} IS NOT NULL")).collect();
        let from = format!("{} AND {}", reached(list, at - 1, schema), not_null.join(" AND "));
        let tag = list.tag(step).to_string();
        quote! {
            #runtime::__private::ListStep { tag: #tag, columns: &[#(#columns),*], from: #from }
        }
    });
    quote! {
        #runtime::__private::ListSql {
            id: &[#(#ids),*],
            from: #from,
            order: #order,
            steps: &[#(#steps),*],
        }
    }
}

/// Of what is stored: the ids of another list are other ids.
pub(super) fn shape(list: &List) -> u64 {
    let steps =
        list.steps.iter().map(|it| format!("{} {:?} {:?};", it.model, it.found_by, it.leads));
    let order = list.order.iter().map(|it| format!("{it};"));
    let conditions = list.conditions.iter().map(|it| it.sql("t"));
    let by = list.by.iter().map(|it| format!("{};", it.written));
    let text: String = by.chain(steps).chain(order).chain(conditions).collect();
    fnv(format!("{} {};{text}", list.name, list.limit).bytes())
}

/// The rows that are listed.
fn listed(list: &List, schema: &Schema) -> String {
    let keys = list.by.iter().zip(1..).filter(|(key, _)| key.is_own);
    let keys: Vec<String> =
        keys.map(|(key, at)| format!("t.\"{}\" = k.k{at}", key.column)).collect();
    let from = match keys.is_empty() {
        true => "FROM",
        false => "FROM {keys} CROSS JOIN",
    };
    let found = (list.steps.len() > 1).then(|| found(list, list.steps.len() - 1, "t", schema));
    let conditions = list.conditions.iter().map(|it| it.sql("t"));
    let all: Vec<String> = keys.into_iter().chain(found).chain(conditions).collect();
    let all = if all.is_empty() { "TRUE".to_owned() } else { all.join(" AND ") };
    format!("{from} {} AS t WHERE {all}", table_of(schema, &list.listed().model))
}

/// The rows of a step before that, `j`.
fn reached(list: &List, at: usize, schema: &Schema) -> String {
    let ListStep { model, .. } = &list.steps[at];
    let table = table_of(schema, model);
    if at > 0 {
        return format!("FROM {table} AS j WHERE {}", found(list, at, "j", schema));
    }
    let keys = list.by.iter().zip(1..).filter(|(key, _)| !key.is_own);
    let keys: Vec<String> =
        keys.map(|(key, at)| format!("j.\"{}\" = k.k{at}", key.column)).collect();
    format!("FROM {{keys}} CROSS JOIN {table} AS j WHERE {}", keys.join(" AND "))
}

/// What a row of a step holds that the step before leads to. The statement within has the key
/// itself: what refers to it from within would be asked for each row (PostgreSQL before 17).
fn found(list: &List, at: usize, alias: &str, schema: &Schema) -> String {
    let holds = of_alias(alias, &list.steps[at].found_by).join(", ");
    let leads = of_alias("j", &list.steps[at - 1].leads).join(", ");
    let reached = reached(list, at - 1, schema);
    match list.steps[at].found_by.len() {
        1 => format!("{holds} IN (SELECT {leads} {reached})"),
        _ => format!("({holds}) IN (SELECT {leads} {reached})"),
    }
}
