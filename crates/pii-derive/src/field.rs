//! The fields of a record: those that are copied, and those that are sealed.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::{
    Attribute, Error, GenericArgument, Ident, LitStr, PathArguments, Result, Type, Visibility,
    spanned::Spanned as _,
};

use crate::{attribute, index::Index};

/// A field of a record.
pub(crate) struct Field {
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) content: Content,
    /// What is documented of it.
    pub(crate) docs: Vec<Attribute>,
}

pub(crate) enum Content {
    /// Not personal: the twin has it as it is.
    Plain(Box<Type>),
    Personal(Box<Personal>),
}

/// A field that is sealed.
pub(crate) struct Personal {
    /// `T` of `Pii<T>`.
    pub(crate) kind: Type,
    pub(crate) is_optional: bool,
    /// The logical name that it is bound to.
    pub(crate) context: LitStr,
    pub(crate) purpose: Option<LitStr>,
    pub(crate) indexes: Vec<Index>,
}

/// What `#[pii(…)]` says.
#[derive(Default)]
struct Said {
    context: Option<LitStr>,
    purpose: Option<LitStr>,
    indexes: Vec<Index>,
}

const MAX_NAME_BYTES: usize = 1_024;

impl Field {
    pub(crate) fn parse(field: syn::Field) -> Result<Self> {
        let name = field.ident.clone().expect("the fields are named");
        let said = said(&field.attrs)?;
        let content = match (said, kind_of(&field.ty)) {
            (Some(said), Some((kind, is_optional))) => {
                let context = said.context.ok_or_else(|| no_context(&field, &name))?;
                Content::Personal(Box::new(Personal {
                    kind,
                    is_optional,
                    context,
                    purpose: said.purpose,
                    indexes: said.indexes,
                }))
            }
            (None, Some(_)) => return Err(no_context(&field, &name)),
            (Some(_), None) => {
                let message = format!(
                    "`{name}` is sealed as `Pii<…>` or `Option<Pii<…>>`, and this is another type"
                );
                return Err(Error::new(field.ty.span(), message));
            }
            (None, None) if has_pii(field.ty.to_token_stream()) => {
                let message = format!(
                    "`{name}` holds personal data in a form that is not sealed: use `Pii<…>` or `Option<Pii<…>>`"
                );
                return Err(Error::new(field.ty.span(), message));
            }
            (None, None) => Content::Plain(Box::new(field.ty)),
        };
        let docs = field.attrs.into_iter();
        Ok(Self {
            visibility: field.vis,
            name,
            content,
            docs: docs.filter(|it| it.path().is_ident("doc")).collect(),
        })
    }

    pub(crate) fn personal(&self) -> Option<&Personal> {
        match &self.content {
            Content::Plain(_) => None,
            Content::Personal(personal) => Some(personal),
        }
    }
}

/// What the attributes of a field say, if it has one of ours.
fn said(attributes: &[Attribute]) -> Result<Option<Said>> {
    let mut said = None;
    for attribute in attributes.iter().filter(|it| it.path().is_ident("pii")) {
        let said = said.get_or_insert_with(Said::default);
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("field") {
                said.context = Some(checked_name(meta.value()?.parse()?)?);
            } else if meta.path.is_ident("purpose") {
                said.purpose = Some(checked_name(meta.value()?.parse()?)?);
            } else if meta.path.is_ident("index") {
                let index = Index::parse(&meta)?;
                if said.indexes.iter().any(|it| it.excludes(&index)) {
                    return Err(meta.error("the field has such an index already"));
                }
                said.indexes.push(index);
            } else {
                let known = "`field = \"…\"`, `purpose = \"…\"` or `index(…)`";
                return Err(attribute::unknown(&meta, known));
            }
            Ok(())
        })?;
    }
    Ok(said)
}

fn checked_name(name: LitStr) -> Result<LitStr> {
    if (1..=MAX_NAME_BYTES).contains(&name.value().len()) {
        return Ok(name);
    }
    Err(Error::new(name.span(), "a name has 1 to 1,024 bytes"))
}

fn no_context(field: &syn::Field, name: &Ident) -> Error {
    let message = format!(
        "`{name}` holds personal data: say what it is sealed as, with a name that no migration changes: \
         `#[pii(field = \"record.{name}\")]`"
    );
    Error::new(field.ty.span(), message)
}

/// `T` of `Pii<T>` or `Option<Pii<T>>`, and whether it is the latter.
fn kind_of(field: &Type) -> Option<(Type, bool)> {
    match argument_of(field, "Option") {
        Some(inner) => Some((argument_of(&inner, "Pii")?, true)),
        None => Some((argument_of(field, "Pii")?, false)),
    }
}

/// `T` of a type `…::Name<T>`.
fn argument_of(of: &Type, name: &str) -> Option<Type> {
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last().filter(|it| it.ident == name)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(argument) => Some(argument.clone()),
        _ => None,
    }
}

fn has_pii(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Pii",
        TokenTree::Group(group) => has_pii(group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
