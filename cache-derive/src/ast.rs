//! The struct as the derive sees it: columns, embedded rows, and what is asked about them.

use cache_schema::Schema;
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, PathArguments, Type,
    Visibility,
};

use crate::attr;

pub(crate) struct Struct {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// The model's name, and where it was said.
    pub(crate) model: String,
    pub(crate) model_span: Span,
    pub(crate) is_projection: bool,
    pub(crate) fields: Vec<Field>,
    /// Models whose tags the `Dependencies` hook adds.
    pub(crate) dependencies: Vec<LitStr>,
    /// The path of `cache_runtime`.
    pub(crate) runtime: TokenStream,
    /// `#[serde(…)]` on the struct, for the fingerprint.
    pub(crate) serde: String,
}

pub(crate) struct Field {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) column: String,
    /// Said by `#[cached(embeds)]`.
    pub(crate) embeds: Option<LitStr>,
    pub(crate) serde_skip: bool,
    /// `#[serde(…)]` on the field, for the fingerprint.
    pub(crate) serde: String,
}

impl Struct {
    pub(crate) fn parse(input: &DeriveInput, errors: &mut Vec<Error>) -> Option<Struct> {
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
        let is_projection = attrs.projection.is_some();
        let (model, model_span) = match attrs.projection.or(attrs.model) {
            Some(name) => (name.value(), name.span()),
            None => (
                kebab_case(&input.ident.unraw().to_string()),
                input.ident.span(),
            ),
        };
        let fields = fields.named.iter().filter_map(|field| {
            let ident = field.ident.clone()?;
            let attrs = attr::on_field(&field.attrs, errors);
            Some(Field {
                column: attrs
                    .column
                    .map_or_else(|| ident.unraw().to_string(), |column| column.value()),
                ident,
                ty: field.ty.clone(),
                embeds: attrs.embeds,
                serde_skip: attrs.serde_skip,
                serde: serde_text(&field.attrs),
            })
        });
        Some(Struct {
            ident: input.ident.clone(),
            vis: input.vis.clone(),
            model,
            model_span,
            is_projection,
            fields: fields.collect(),
            dependencies: attrs.dependencies,
            runtime: attrs
                .krate
                .map_or_else(|| quote!(::cache_runtime), |path| quote!(#path)),
            serde: serde_text(&input.attrs),
        })
    }

    /// The field that holds this column.
    pub(crate) fn column(&self, column: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.column == column)
    }

    /// The fields that hold these columns, if all of them are there.
    pub(crate) fn columns(&self, columns: &[String]) -> Option<Vec<&Field>> {
        columns.iter().map(|column| self.column(column)).collect()
    }

    /// The fields that hold rows, with the model.
    pub(crate) fn embedded<'a>(
        &'a self,
        schema: &'a Schema,
    ) -> impl Iterator<Item = (&'a Field, &'a str)> {
        self.fields
            .iter()
            .filter_map(|field| Some((field, field.embedded(schema)?)))
    }

    /// Whether it holds rows of this model, or says by its hook what they are.
    pub(crate) fn carries(&self, model: &str, schema: &Schema) -> bool {
        self.hooks(model) || self.embedded(schema).any(|(_, embedded)| embedded == model)
    }

    pub(crate) fn hooks(&self, model: &str) -> bool {
        self.dependencies.iter().any(|name| name.value() == model)
    }
}

impl Field {
    /// The model whose rows it holds: said by the attribute, or by the name of its type.
    pub(crate) fn embedded<'a>(&'a self, schema: &'a Schema) -> Option<&'a str> {
        let name = match &self.embeds {
            Some(name) => name.value(),
            None => kebab_case(&row_type(&self.ty)?.to_string()),
        };
        schema.model(&name).map(|model| model.name.as_str())
    }

    /// The type without the containers around it.
    pub(crate) fn row(&self) -> &Type {
        peel(&self.ty)
    }

    /// The type without `Option`.
    pub(crate) fn not_null(&self) -> &Type {
        inside(&self.ty, &["Option"]).unwrap_or(&self.ty)
    }
}

fn row_type(ty: &Type) -> Option<Ident> {
    match peel(ty) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map(|segment| segment.ident.unraw()),
        _ => None,
    }
}

fn peel(mut ty: &Type) -> &Type {
    while let Some(inner) = inside(ty, &["Option", "Vec", "Box", "Arc"]) {
        ty = inner;
    }
    ty
}

fn inside<'a>(ty: &'a Type, containers: &[&str]) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
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
    let serde = attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"));
    serde
        .map(|attribute| attribute.meta.to_token_stream().to_string())
        .collect()
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
