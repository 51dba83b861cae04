//! The struct as the derive sees it: columns, embedded rows, and what is asked about them.

use cache_schema::Schema;
use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, PathArguments, Type,
    Visibility,
};

use crate::attr::{self, By, Condition, FieldAttrs, Found, Serde, Sqlx, StructAttrs};

pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The model's name, and where it was said.
    pub(crate) model: String,
    pub(crate) model_span: Span,
    pub(crate) is_projection: bool,
    /// `load`, where it is said.
    pub(crate) load: Option<Span>,
    /// All statements of its loader see one moment.
    pub(crate) snapshot: bool,
    /// What its rows have to be.
    pub(crate) filter: Vec<Condition>,
    /// The types of what lists are by.
    pub(crate) by: Vec<By>,
    pub(crate) fields: Vec<Field>,
    /// Models whose tags the `Dependencies` hook adds.
    pub(crate) dependencies: Vec<LitStr>,
    /// The path of `cache_runtime`.
    pub(crate) runtime: TokenStream,
    pub(crate) serde: Serde,
    /// `#[serde(…)]` on the struct, for the fingerprint.
    pub(crate) serde_text: String,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// The column it holds, if it holds no rows.
    pub(crate) column: String,
    /// Said by `#[cached(column)]`.
    pub(crate) says_column: bool,
    /// Said by `#[cached(embeds)]`.
    pub(crate) embeds: Option<LitStr>,
    /// The model whose rows it holds.
    pub(crate) rows: Option<String>,
    /// Said by `#[cached(hidden)]`, and where.
    pub(crate) hidden: Option<Span>,
    /// How it is found, where the names do not say it.
    pub(crate) found: Found,
    pub(crate) sqlx: Sqlx,
    pub(crate) serde: Serde,
    /// `#[serde(…)]` on the field, for the fingerprint.
    pub(crate) serde_text: String,
}

impl Struct {
    pub(crate) fn parse(
        input: &DeriveInput,
        schema: &Schema,
        errors: &mut Vec<Error>,
    ) -> Option<Struct> {
        let attrs = attr::on_struct(&input.attrs, errors);
        if !input.generics.params.is_empty() {
            let why =
                "a cached struct has no type or lifetime parameters: it is stored and read back";
            errors.push(Error::new_spanned(&input.generics, why));
        }
        let Data::Struct(data) = &input.data else {
            errors.push(Error::new_spanned(
                &input.ident,
                "`Cached` is for structs: a struct is a row",
            ));
            return None;
        };
        let Fields::Named(fields) = &data.fields else {
            let why =
                "`Cached` is for structs with named fields: a field is a column or embedded rows";
            errors.push(Error::new_spanned(&input.ident, why));
            return None;
        };
        let (model, model_span) = model(&input.ident, &attrs);
        let fields = fields.named.iter().filter_map(|field| {
            let ident = field.ident.clone()?;
            let attrs = attr::on_field(&field.attrs, errors);
            let is_itself = |ty: &Ident| ty == "Self" || *ty == input.ident.unraw();
            let rows = match (&attrs.embeds, row_type(&field.ty)) {
                (Some(name), _) => Some(name.value()),
                (None, Some(ty)) if is_itself(&ty) => Some(model.clone()),
                (None, ty) => ty.map(|ty| kebab_case(&ty.to_string())),
            };
            Some(Field::new(ident, field, attrs, rows.filter(|it| schema.model(it).is_some())))
        });
        Some(Struct {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            fields: fields.collect(),
            model,
            model_span,
            is_projection: attrs.projection.is_some(),
            load: attrs.load,
            snapshot: attrs.snapshot,
            runtime: attrs.runtime(),
            filter: attrs.filter,
            by: attrs.by,
            dependencies: attrs.dependencies,
            serde: attrs.serde,
            serde_text: serde_text(&input.attrs),
        })
    }

    /// The path of `cache_runtime`, where an error in what it is the beginning of is to be shown.
    pub(crate) fn runtime_at(&self, span: Span) -> TokenStream {
        let path = self.runtime.clone().into_iter();
        path.map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
    }

    /// Whether the model is what the struct is called, and not said by an attribute.
    pub(crate) fn is_named_like_its_model(&self) -> bool {
        self.model == kebab_case(&self.ident.unraw().to_string())
    }

    /// The field that holds this column.
    pub(crate) fn column(&self, column: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.rows.is_none() && field.column == column)
    }

    /// The fields that hold these columns, if all of them are there.
    pub(crate) fn columns(&self, columns: &[String]) -> Option<Vec<&Field>> {
        columns.iter().map(|column| self.column(column)).collect()
    }

    /// The fields that hold rows, with the model.
    pub(crate) fn embedded(&self) -> impl Iterator<Item = (&Field, &str)> {
        self.fields.iter().filter_map(|field| Some((field, field.rows.as_deref()?)))
    }

    /// Whether the field holds rows of the struct's own type.
    pub(crate) fn is_of_itself(&self, field: &Field) -> bool {
        let is_itself = |ty| ty == "Self" || ty == self.ident.unraw();
        field.rows.as_ref() == Some(&self.model) && row_type(&field.ty).is_some_and(is_itself)
    }

    /// What the field is called when it is serialized.
    pub(crate) fn serde_name(&self, field: &Field) -> String {
        let name = || serde_case(&field.ident.unraw().to_string(), self.serde.written.as_deref());
        field.serde.written.clone().unwrap_or_else(name)
    }

    /// Whether it says by its hook which rows of this model it was computed from.
    pub(crate) fn hooks(&self, model: &str) -> bool {
        self.dependencies.iter().any(|name| name.value() == model)
    }
}

impl Field {
    /// `rows`: the model that it is named like, or that it says it embeds.
    fn new(ident: Ident, field: &syn::Field, attrs: FieldAttrs, rows: Option<String>) -> Field {
        let is_of_others = attrs.found.from.is_some() || attrs.found.count.is_some();
        let says_column = attrs.column.is_some();
        Field {
            column: match is_of_others {
                // No column of its own row has such a name.
                true => format!("{ident} of others"),
                false => column(&ident, attrs.column.as_ref().or(attrs.sqlx.rename.as_ref())),
            },
            says_column,
            ty: field.ty.clone(),
            rows: rows.filter(|_| !says_column && !is_of_others),
            embeds: attrs.embeds,
            hidden: attrs.hidden,
            found: attrs.found,
            sqlx: attrs.sqlx,
            serde: attrs.serde,
            serde_text: serde_text(&field.attrs),
            ident,
        }
    }

    /// The type without the containers around it.
    pub(crate) fn row(&self) -> &Type {
        row(&self.ty)
    }

    /// The type without `Option`.
    pub(crate) fn not_null(&self) -> &Type {
        not_null(&self.ty)
    }
}

/// The name of the struct's model, and where it is said.
pub(crate) fn model(ident: &Ident, attrs: &StructAttrs) -> (String, Span) {
    match attrs.projection.as_ref().or(attrs.model.as_ref()) {
        Some(name) => (name.value(), name.span()),
        None => (kebab_case(&ident.unraw().to_string()), ident.span()),
    }
}

/// The column that a field of this name holds.
pub(crate) fn column(ident: &Ident, attribute: Option<&LitStr>) -> String {
    attribute.map_or_else(|| ident.unraw().to_string(), LitStr::value)
}

pub(crate) fn not_null(ty: &Type) -> &Type {
    inside(ty, &["Option"]).unwrap_or(ty)
}

fn row_type(ty: &Type) -> Option<Ident> {
    match row(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.unraw()),
        _ => None,
    }
}

/// The type without the containers around it.
pub(crate) fn row(mut ty: &Type) -> &Type {
    while let Some((_, inner)) = container(ty) {
        ty = inner;
    }
    bare(ty)
}

/// What is in an `Arc`, if that is the last container around it.
pub(crate) fn arc_of(mut ty: &Type) -> Option<&Type> {
    let mut last = None;
    while let Some((name, inner)) = container(ty) {
        (last, ty) = (Some(name), inner);
    }
    last.filter(|name| *name == "Arc").map(|_| bare(ty))
}

/// What holds rows, and what is in it.
pub(crate) fn container(ty: &Type) -> Option<(&Ident, &Type)> {
    let Type::Path(path) = bare(ty) else {
        return None;
    };
    let name = &path.path.segments.last()?.ident;
    Some((name, bare(inside(ty, &["Option", "Vec", "Box", "Arc"])?)))
}

/// The type without the invisible parentheses that a `macro_rules!` puts around a `$ty:ty`.
fn bare(mut ty: &Type) -> &Type {
    while let Type::Group(group) = ty {
        ty = &group.elem;
    }
    ty
}

fn inside<'a>(ty: &'a Type, containers: &[&str]) -> Option<&'a Type> {
    let Type::Path(path) = bare(ty) else {
        return None;
    };
    let segment = path.path.segments.last()?;
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) if containers.iter().any(|name| segment.ident == name) => {
            Some(inner)
        }
        _ => None,
    }
}

fn serde_text(attributes: &[syn::Attribute]) -> String {
    let serde = attributes.iter().filter(|attribute| attribute.path().is_ident("serde"));
    serde.map(|attribute| attribute.meta.to_token_stream().to_string()).collect()
}

/// A field's name by `#[serde(rename_all = "…")]`.
fn serde_case(name: &str, case: Option<&str>) -> String {
    let with_first = |word: &str, of_first: fn(&char) -> char| {
        let mut letters = word.chars();
        letters.next().map(|first| of_first(&first)).into_iter().chain(letters).collect::<String>()
    };
    let pascal = || -> String {
        name.split('_').map(|word| with_first(word, char::to_ascii_uppercase)).collect()
    };
    match case {
        Some("UPPERCASE" | "SCREAMING_SNAKE_CASE") => name.to_ascii_uppercase(),
        Some("PascalCase") => pascal(),
        Some("camelCase") => with_first(&pascal(), char::to_ascii_lowercase),
        Some("kebab-case") => name.replace('_', "-"),
        Some("SCREAMING-KEBAB-CASE") => name.to_ascii_uppercase().replace('_', "-"),
        // The names of fields are in snake case.
        _ => name.to_owned(),
    }
}

/// `OrganizationUser` → `organization-user`, `HTTPRoute` → `http-route`.
pub(crate) fn kebab_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut kebab = String::new();
    for (i, letter) in letters.iter().enumerate() {
        let after_small = i > 0 && !letters[i - 1].is_uppercase();
        let before_small = letters.get(i + 1).is_some_and(|next| next.is_lowercase());
        if letter.is_uppercase() && i > 0 && (after_small || before_small) {
            kebab.push('-');
        }
        kebab.extend(letter.to_lowercase());
    }
    kebab
}
