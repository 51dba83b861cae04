//! `#[derive(Column)]`: a newtype, or an enum without data, as a column.

use heck::{ToKebabCase, ToLowerCamelCase, ToShoutySnakeCase, ToSnakeCase, ToUpperCamelCase};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DataEnum, DataStruct, DeriveInput, Error, Field, Ident, LitStr, parenthesized,
};

use crate::attr;

/// What `#[repr(…)]` makes a number of an enum.
const NUMBERS: [&str; 12] =
    ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize"];

pub(crate) fn derive(input: TokenStream) -> TokenStream {
    let expanded = syn::parse2(input).and_then(|input: DeriveInput| {
        let runtime = attr::on_column(&input.attrs)?;
        let what = what(&input)?;
        Ok(what.impls(&input, &runtime))
    });
    expanded.unwrap_or_else(Error::into_compile_error)
}

/// What the column is.
enum What<'a> {
    /// What is in its one field.
    Newtype(&'a Field),
    /// The number of its variant, of this type: as sqlx calls it, a weak enum.
    Number(Ident, &'a DataEnum),
    /// The text of its variant: a strong one.
    Texts(Vec<(&'a Ident, String)>),
}

fn what(input: &DeriveInput) -> syn::Result<What<'_>> {
    if !input.generics.params.is_empty() {
        let why = "a column has no type or lifetime parameters: it is one type of one column";
        return Err(Error::new_spanned(&input.generics, why));
    }
    match &input.data {
        Data::Struct(data) => newtype(input, data),
        Data::Enum(data) => unit_enum(input, data),
        Data::Union(_) => Err(refused(input, "a union is neither")),
    }
}

fn refused(input: &DeriveInput, why: &str) -> Error {
    let name = &input.ident;
    let why = format!(
        "`{name}` cannot be a column: that is a newtype (`struct {name}(i64);`) or an enum without data, and {why}\n\
         help: an id of several columns is a tuple, and no struct; anything else has to `impl Column` by hand"
    );
    Error::new_spanned(name, why)
}

fn newtype<'a>(input: &DeriveInput, data: &'a DataStruct) -> syn::Result<What<'a>> {
    let mut fields = data.fields.iter();
    match (fields.next(), fields.len()) {
        (Some(field), 0) if field.ident.is_none() || is_transparent(&input.attrs)? => {
            Ok(What::Newtype(field))
        }
        (Some(_), 0) => Err(refused(
            input,
            "the field of this has a name, so that sqlx takes it for a record without `#[sqlx(transparent)]`",
        )),
        (None, _) => Err(refused(input, "this has no field")),
        (Some(_), more) => Err(refused(input, &format!("this has {} fields", more + 1))),
    }
}

fn unit_enum<'a>(input: &DeriveInput, data: &'a DataEnum) -> syn::Result<What<'a>> {
    if let Some(variant) = data.variants.iter().find(|variant| !variant.fields.is_empty()) {
        return Err(refused(input, &format!("`{}` has data", variant.ident)));
    }
    if data.variants.is_empty() {
        return Err(refused(input, "this has no variant"));
    }
    if let Some(number) = number(&input.attrs)? {
        return Ok(What::Number(number, data));
    }
    let all = renamed(&input.attrs, "rename_all")?;
    let case = all.map(|all| case(&all).ok_or_else(|| unknown_case(&all))).transpose()?;
    let texts = data.variants.iter().map(|variant| {
        let name = variant.ident.to_string();
        let text = match (renamed(&variant.attrs, "rename")?, case) {
            (Some(text), _) => text.value(),
            (None, Some(case)) => case(&name),
            (None, None) => name,
        };
        Ok((&variant.ident, text))
    });
    Ok(What::Texts(texts.collect::<syn::Result<_>>()?))
}

/// The number that `#[repr(…)]` names.
fn number(attributes: &[Attribute]) -> syn::Result<Option<Ident>> {
    let mut number = None;
    each(attributes, "repr", |meta| {
        let ident = meta.path.get_ident();
        let is_number = |it: &&Ident| NUMBERS.iter().any(|number| it == number);
        number = ident.filter(is_number).cloned().or(number.take());
        skip_value(meta)
    })?;
    Ok(number)
}

fn is_transparent(attributes: &[Attribute]) -> syn::Result<bool> {
    let mut is_transparent = false;
    each(attributes, "sqlx", |meta| {
        is_transparent |= meta.path.is_ident("transparent");
        skip_value(meta)
    })?;
    Ok(is_transparent)
}

/// What `#[sqlx(key = "…")]` says.
fn renamed(attributes: &[Attribute], key: &str) -> syn::Result<Option<LitStr>> {
    let mut text = None;
    each(attributes, "sqlx", |meta| {
        if !meta.path.is_ident(key) {
            return skip_value(meta);
        }
        text = Some(meta.value()?.parse()?);
        Ok(())
    })?;
    Ok(text)
}

/// What sqlx and the compiler find wrong with their attributes, they say themselves.
fn each(
    attributes: &[Attribute],
    name: &str,
    mut entry: impl FnMut(&ParseNestedMeta) -> syn::Result<()>,
) -> syn::Result<()> {
    let mut attributes = attributes.iter().filter(|it| it.path().is_ident(name));
    attributes.try_for_each(|it| it.parse_nested_meta(|meta| entry(&meta)))
}

fn skip_value(meta: &ParseNestedMeta) -> syn::Result<()> {
    if let Ok(value) = meta.value() {
        value.parse::<syn::Expr>()?;
    } else if meta.input.peek(syn::token::Paren) {
        let list;
        parenthesized!(list in meta.input);
        list.parse::<TokenStream>()?;
    }
    Ok(())
}

/// As sqlx 0.9 does it, with the same crate: `rename_all` in `sqlx-macros-core/src/derives/mod.rs`.
fn case(name: &LitStr) -> Option<fn(&str) -> String> {
    Some(match &*name.value() {
        "lowercase" => |it| it.to_lowercase(),
        "snake_case" => |it| it.to_snake_case(),
        "UPPERCASE" => |it| it.to_uppercase(),
        "SCREAMING_SNAKE_CASE" => |it| it.to_shouty_snake_case(),
        "kebab-case" => |it| it.to_kebab_case(),
        "camelCase" => |it| it.to_lower_camel_case(),
        "PascalCase" => |it| it.to_upper_camel_case(),
        _ => return None,
    })
}

fn unknown_case(name: &LitStr) -> Error {
    let why = "sqlx does not know this case: it knows `lowercase`, `snake_case`, `UPPERCASE`, `SCREAMING_SNAKE_CASE`, \
               `kebab-case`, `camelCase` and `PascalCase`";
    Error::new(name.span(), why)
}

impl What<'_> {
    fn impls(&self, input: &DeriveInput, runtime: &TokenStream) -> TokenStream {
        let ident = &input.ident;
        let (write, write_key) = self.writes(runtime);
        let of_inner = match self {
            What::Newtype(Field { ty, .. }) => Some(quote!(for<'never> #ty: #runtime::Id,)),
            What::Number(..) | What::Texts(_) => None,
        };
        quote! {
            #[automatically_derived]
            impl #runtime::Column for #ident {
                fn write(
                    &self,
                    dialect: #runtime::Dialect,
                    out: &mut ::std::string::String,
                ) -> #runtime::Written {
                    #write
                }
                #write_key
            }
            // With `for<'never>` a bound that does not hold is no error: the impl is merely not
            // there.
            #[automatically_derived]
            impl #runtime::Id for #ident
            where
                #of_inner
                for<'never> Self: ::core::clone::Clone + ::core::cmp::Eq + ::core::hash::Hash
                    + ::core::fmt::Debug + #runtime::__private::Serialize
                    + #runtime::__private::DeserializeOwned
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            {}
        }
    }

    /// The body of `write`; and `write_key`, where what is inside may have its own.
    fn writes(&self, runtime: &TokenStream) -> (TokenStream, Option<TokenStream>) {
        match self {
            What::Newtype(field) => {
                let inner = match &field.ident {
                    Some(ident) => ident.to_token_stream(),
                    None => quote!(0),
                };
                let ty = &field.ty;
                let column = quote_spanned!(ty.span()=> <#ty as #runtime::Column>);
                let write_key = quote! {
                    fn write_key(&self, out: &mut ::std::string::String) {
                        #column::write_key(&self.#inner, out)
                    }
                };
                (quote!(#column::write(&self.#inner, dialect, out)), Some(write_key))
            }
            What::Number(number, data) => {
                let numbers = data.variants.iter().map(|variant| {
                    let variant = &variant.ident;
                    quote!(Self::#variant => Self::#variant as #number)
                });
                let write = quote! {
                    let number = match self { #(#numbers),* };
                    <#number as #runtime::Column>::write(&number, dialect, out)
                };
                (write, None)
            }
            What::Texts(texts) => {
                let texts = texts.iter().map(|(variant, text)| quote!(Self::#variant => #text));
                let write = quote! {
                    let _ = dialect;
                    out.push_str(match self { #(#texts),* });
                    #runtime::Written::Text
                };
                (write, None)
            }
        }
    }
}
