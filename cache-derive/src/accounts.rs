//! Whether a value accounts for everything that it is built from: each hop of its paths yields a
//! tag, from a column, from the rows at its end, or from a hook.
//!
//! The derive sees one struct at a time. What that has to say of its own paths is checked here.
//! What it leaves unsaid of the paths of others is part of the expansion, as `Rows::LACKS`: a value
//! that wants it, and embeds the struct, does not compile.

use cache_schema::{Direction, Hop, Model, Schema, Wanted};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Error;

use crate::ast::{Field, Struct};
use crate::check::{has_id_tag, needs_id, pascal_case, snake_case};
use crate::load::registered;
use crate::load::way::way;
use crate::rows::at;

/// A hop that a struct does not account for.
struct Lack<'a> {
    hop: &'a Hop,
    /// It knows the tag: it is the rows at the end that are missing, by which what lies behind them
    /// is found.
    has_tag: bool,
}

/// Of these hops, those that leave the struct's rows, or what only its hook knows, and that it does
/// not account for.
fn lacks<'a>(row: &Struct, model: &Model, schema: &Schema, hops: &[&'a Hop]) -> Vec<Lack<'a>> {
    let leaving = hops.iter().filter(|hop| hop.from == model.rows() && !row.hooks(&hop.to));
    let by_rows = leaving.filter_map(|hop| {
        let holder = match hop.direction {
            Direction::Forward => &hop.columns,
            // Rows that point back yield no tag where there are none.
            Direction::Reverse => &model.id,
        };
        // That its id is missing has its own message, where it is needed.
        let is_said = hop.direction == Direction::Reverse && needs_id(row, model, schema);
        let has_tag = is_said || row.columns(holder).is_some();
        let needs_rows = !has_tag || !behind(row, schema, hop, hops).is_empty();
        needs_rows.then_some(Lack { hop, has_tag })
    });
    let mut lacks: Vec<Lack<'_>> = by_rows.collect();
    // Where rows are missing, they are those that no field is named after.
    lacks.sort_by_key(|it| !row.embedded().any(|(field, _)| field.ident == stem(it.hop)));
    let mut taken: Vec<&Hop> = Vec::new();
    lacks.retain(|Lack { hop, has_tag }| {
        // Two references lead to two rows.
        let is_other = |it: &&&Hop| it.to == hop.to && it.direction == hop.direction;
        let others = match hop.direction {
            Direction::Forward => taken.iter().filter(is_other).count(),
            Direction::Reverse => 0,
        };
        taken.push(hop);
        let has_rows = holds_rows(row, model, schema, hop, others);
        !has_rows || (hop.direction == Direction::Reverse && !has_tag)
    });
    let only_hooked =
        |model: &str| row.hooks(model) && of_rows(row, schema, model).next().is_none();
    let behind_hooks = hops.iter().filter(|hop| only_hooked(&hop.from) && !row.hooks(&hop.to));
    lacks.extend(behind_hooks.map(|hop| Lack { hop, has_tag: false }));
    lacks
}

/// Whether a field holds the rows at the end of the hop: one whose way is clear, and is this; or,
/// of those whose way is not, one that `others` have not taken.
fn holds_rows(row: &Struct, model: &Model, schema: &Schema, hop: &Hop, others: usize) -> bool {
    let ways = of_rows(row, schema, &hop.to).map(|field| {
        let to = field.rows.as_deref().unwrap_or_default();
        way(schema, model, field, to).ok()
    });
    let (clear, unclear): (Vec<_>, Vec<_>) = ways.partition(Option::is_some);
    let is_this = |way: &Vec<Hop>| matches!(&way[..], [it] if it == hop);
    clear.iter().flatten().any(is_this) || unclear.len() > others
}

/// Which of these hops lie behind this one, and are in no hook of the struct, nor at its hand.
fn behind<'a>(row: &Struct, schema: &Schema, hop: &Hop, hops: &[&'a Hop]) -> Vec<&'a Hop> {
    let (mut ends, mut behind) = (vec![&hop.to], Vec::new());
    let mut seen = 0;
    while let Some(&end) = ends.get(seen) {
        seen += 1;
        for next in hops.iter().filter(|next| next.from == *end) {
            if is_at_hand(row, schema, next, hops) {
                continue;
            }
            if !row.hooks(&next.to) && !behind.contains(next) {
                behind.push(*next);
            }
            if !ends.contains(&&next.to) {
                ends.push(&next.to);
            }
        }
    }
    behind
}

/// Whether the struct itself holds the rows at the end of a hop, which is not its own: those that
/// are found over a join table. They yield the tag; what lies behind them, they say themselves.
fn is_at_hand(row: &Struct, schema: &Schema, hop: &Hop, hops: &[&Hop]) -> bool {
    let ends_there = |it: &&&Hop| it.to == hop.to && it.direction == Direction::Forward;
    let fields = of_rows(row, schema, &hop.to).count();
    hop.direction == Direction::Forward
        && fields > 0
        && fields >= hops.iter().filter(ends_there).count()
}

/// The fields that hold rows of this model.
fn of_rows<'a>(
    row: &'a Struct,
    schema: &'a Schema,
    model: &'a str,
) -> impl Iterator<Item = &'a Field> {
    let of = row.embedded().filter(move |(_, embedded)| schema.rows_of(embedded) == model);
    of.map(|(field, _)| field)
}

/// The hops that the struct's own value wants. Others' values say themselves what they want.
pub(crate) fn own<'a>(row: &Struct, model: &Model, schema: &'a Schema) -> Vec<Wanted<'a>> {
    match row.is_projection {
        true => Vec::new(),
        false => schema.wanted(&model.name),
    }
}

fn hops<'a>(wanted: &[Wanted<'a>]) -> Vec<&'a Hop> {
    wanted.iter().map(|it| it.hop).collect()
}

/// What the struct has to say of its own paths.
pub(crate) fn accounts(row: &Struct, model: &Model, schema: &Schema, errors: &mut Vec<Error>) {
    let wanted = own(row, model, schema);
    let hops = hops(&wanted);
    for lack in lacks(row, model, schema, &hops) {
        if let Some(wanted) = wanted.iter().find(|it| it.hop == lack.hop) {
            let message = unaccounted(row, model, schema, wanted, &lack, &hops);
            errors.push(Error::new(row.ident.span(), message));
        }
    }
}

fn unaccounted(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    wanted: &Wanted<'_>,
    lack: &Lack<'_>,
    hops: &[&Hop],
) -> String {
    let (hop, dependency) = (wanted.hop, wanted.dependency);
    let (to, columns) = (&hop.to, hop.columns.join("` and `"));
    let place = schema.at(dependency.position);
    let hook = hook(row, schema, lack, hops);
    if hop.from != model.rows() {
        return format!(
            "`{}` cannot account for its dependency on `{to}` ({}): it has no `{}` rows, behind which it is found\n{place}\n\
             help: {hook}",
            row.ident, wanted.path, hop.from
        );
    }
    let field = field(hop);
    let further = match of_rows(row, schema, to).next() {
        Some(_) => "further ",
        None => "",
    };
    let lacks = format!("it has no {further}`{to}` rows");
    let (lacks, help) =
        match (lack.has_tag || !behind(row, schema, hop, hops).is_empty(), hop.direction) {
            (false, Direction::Forward) => (
                format!("{lacks} and no `{columns}`"),
                format!("add the field `{columns}`, or one that embeds the row, such as `{field}`"),
            ),
            _ => (
                format!("{lacks}, and what lies behind `{to}` is found by its rows"),
                format!("add a field that embeds them, such as `{field}`"),
            ),
        };
    format!(
        "`{}` cannot account for its dependency on `{to}` ({}): {lacks}\n{place}\n\
         help: {help};\n      \
         mark a field of another type with #[cached(embeds = \"{to}\")];\n      \
         or, if the value does not carry them, {hook}",
        row.ident,
        name(hop),
    )
}

/// What a field with the rows at the end of the hop is called: `created_by_id` → `created_by`.
pub(crate) fn stem(hop: &Hop) -> String {
    let mut columns = hop.columns.iter();
    match hop.direction {
        Direction::Forward => columns
            .find_map(|column| column.strip_suffix("_id"))
            .map_or_else(|| snake_case(&hop.to), str::to_owned),
        Direction::Reverse => format!("{}s", snake_case(&hop.to)),
    }
}

/// A field that embeds the rows at the end of the hop.
pub(crate) fn field(hop: &Hop) -> String {
    let (stem, whole) = (stem(hop), pascal_case(&hop.to));
    match hop.direction {
        Direction::Forward => format!("{stem}: Option<{whole}>"),
        Direction::Reverse => format!("{stem}: Vec<{whole}>"),
    }
}

/// How to account for a hop, and for what lies behind it, where the value does not carry the rows.
fn hook(row: &Struct, schema: &Schema, lack: &Lack<'_>, hops: &[&Hop]) -> String {
    let itself = (!lack.has_tag).then_some(lack.hop);
    let unhooked: Vec<&Hop> =
        itself.into_iter().chain(behind(row, schema, lack.hop, hops)).collect();
    let mut names: Vec<String> = row.dependencies.iter().map(|name| name.value()).collect();
    let mut tags = String::new();
    for hop in unhooked {
        if !names.contains(&hop.to) {
            names.push(hop.to.clone());
        }
        let tag = hop.tag(schema);
        let add = match &tag.columns[..] {
            [column] => format!("tags.add(tag!(\"{tag}\"), &{column});"),
            columns => format!("tags.add_composite(tag!(\"{tag}\"), &[&{}]);", columns.join(", &")),
        };
        tags += &format!("\n          {add}");
    }
    format!(
        "write #[cached(dependencies(\"{}\"))] on the struct, and implement `Dependencies` for it:{tags}",
        names.join("\", \"")
    )
}

/// `Rows::LACKS`: what it leaves unsaid of the paths of all values.
pub(crate) fn lacks_of(row: &Struct, model: &Model, schema: &Schema) -> Option<TokenStream> {
    let runtime = &row.runtime;
    let own = lacks(row, model, schema, &schema.hops());
    let own = own.iter().map(|Lack { hop, has_tag }| {
        let hop = name(hop);
        quote!(#runtime::__private::Lack { hop: #hop, has_tag: #has_tag })
    });
    let own: Vec<TokenStream> = own.collect();
    let embedded = row.embedded().filter(|(field, _)| !row.is_of_itself(field));
    let embedded: Vec<TokenStream> = embedded
        .map(|(Field { ty, .. }, _)| {
            let at = at(ty);
            let runtime = row.runtime_at(at);
            quote_spanned!(at=> &<#ty as #runtime::Rows>::LACKS)
        })
        .collect();
    let lacks_id = has_id_tag(model, schema) && row.columns(&model.id).is_none();
    let reads = registered::reads(row, model, schema);
    let filtered = !row.filter.is_empty();
    let is_needed =
        lacks_id || filtered || [&own, &embedded, &reads].iter().any(|it| !it.is_empty());
    is_needed.then(|| {
        quote! {
            const LACKS: #runtime::__private::Lacks = #runtime::__private::Lacks {
                id: #lacks_id,
                filtered: #filtered,
                reads: &[#(#reads),*],
                own: &[#(#own),*],
                embedded: &[#(#embedded),*],
            };
        }
    })
}

/// The hop, as the structs on both of its sides call it.
pub(crate) fn name(hop: &Hop) -> String {
    format!("{}{hop}", hop.from)
}

/// Stops the build where an embedded struct leaves unsaid what the value wants.
pub(crate) fn assertions(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let runtime = &row.runtime;
    let wanted = own(row, model, schema);
    let hops = hops(&wanted);
    let deeper = |it: &&Wanted<'_>| {
        let is_said = row.hooks(&it.hop.to) || is_at_hand(row, schema, it.hop, &hops);
        it.hop.from != model.rows() && !is_said
    };
    let wants = wanted.iter().filter(deeper).map(|wanted| {
        let name = name(wanted.hop);
        let goes_on = !behind(row, schema, wanted.hop, &hops).is_empty();
        let why = left_unsaid(row, model, schema, wanted, &hops);
        quote!(#runtime::__private::Want { hop: #name, goes_on: #goes_on, why: #why })
    });
    let wants: Vec<TokenStream> = wants.collect();
    let mut assertions = embedded_ids(row, model, schema);
    assertions.extend(registered::assertions(row, model, schema));
    if !wants.is_empty() {
        assertions.push(quote!(const WANTS: &[#runtime::__private::Want] = &[#(#wants),*];));
        let fields = row.embedded().filter(|(field, _)| !row.is_of_itself(field));
        assertions.extend(fields.map(|(Field { ty, .. }, _)| {
            let at = at(ty);
            let runtime = row.runtime_at(at);
            quote_spanned! {at=>
                if let ::core::option::Option::Some(why) = <#ty as #runtime::Rows>::LACKS.unsaid(WANTS) {
                    ::core::panic!("{}", why);
                }
            }
        }));
    }
    assertions
}

/// Rows that only their own id tells from others, as the struct has no column that refers to them.
fn embedded_ids(row: &Struct, model: &Model, schema: &Schema) -> Vec<TokenStream> {
    let mut ids = Vec::new();
    let wanted = own(row, model, schema);
    let hops = hops(&wanted);
    let at_hand = hops.iter().filter(|hop| is_at_hand(row, schema, hop, &hops)).copied();
    let at_hand = at_hand.filter(|hop| hop.from != model.rows());
    for hop in schema.hops_from(&model.name).into_iter().chain(at_hand) {
        let is_own = hop.from == model.rows();
        let is_told = (is_own && row.columns(&hop.columns).is_some()) || row.hooks(&hop.to);
        if hop.direction == Direction::Reverse || is_told {
            continue;
        }
        for Field { ident, ty, .. } in of_rows(row, schema, &hop.to) {
            let (to, columns) = (&hop.to, hop.columns.join("` and `"));
            let (lacks, help) = match is_own {
                true => (format!("`{}` has no `{columns}`, and ", row.ident), "add one of the two"),
                false => (String::new(), "add the id to that struct"),
            };
            let why = format!(
                "{lacks}the `{to}` row in `{ident}` has no id: a change of it would not reach the value\nhelp: {help}"
            );
            let at = at(ty);
            let runtime = row.runtime_at(at);
            ids.push(quote_spanned! {at=>
                if <#ty as #runtime::Rows>::LACKS.id {
                    ::core::panic!(#why);
                }
            });
        }
    }
    ids
}

fn left_unsaid(
    row: &Struct,
    model: &Model,
    schema: &Schema,
    wanted: &Wanted<'_>,
    hops: &[&Hop],
) -> String {
    let Wanted { hop, dependency, path } = wanted;
    let (ident, from, to) = (&row.ident, &hop.from, &hop.to);
    let begins = path.hops.first().map_or("", |first| &first.from);
    let what = match begins == model.rows() {
        true => format!("`{ident}` cannot account for its dependency on `{}`", dependency.model),
        false => format!(
            "`{ident}` cannot account for the `{}` that its `{begins}` is built from",
            dependency.model
        ),
    };
    let (field, columns) = (field(hop), hop.columns.join("` and `"));
    let (lacks, add) = match (behind(row, schema, hop, hops).is_empty(), hop.direction) {
        (false, _) => (format!("no `{to}` rows, by which the rest is found"), format!("`{field}`")),
        (true, Direction::Forward) => {
            (format!("neither `{columns}` nor `{to}` rows"), format!("`{columns}` or `{field}`"))
        }
        (true, Direction::Reverse) => ("no id".to_owned(), "its id".to_owned()),
    };
    let mut lines = vec![schema.at(dependency.position)];
    lines.extend(schema.reference_of(hop).map(|reference| schema.at(reference.position)));
    let lack = Lack { hop, has_tag: false };
    format!(
        "{what} ({path}): a struct in it that holds `{from}` rows has {lacks}\n{}\n\
         help: add {add} to that struct;\n      or, if the value does not carry them, {}",
        lines.join("\n"),
        hook(row, schema, &lack, hops)
    )
}
