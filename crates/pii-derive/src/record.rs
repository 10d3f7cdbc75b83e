//! The record that is derived for.

use proc_macro2::TokenStream;
use quote::format_ident;
use syn::{Data, DeriveInput, Error, Fields, Ident, LitInt, LitStr, Result, Visibility};

use crate::{attribute, field::Field, index::Index};

/// A struct with named fields, some of which hold personal data.
pub(crate) struct Record {
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) twin: Twin,
    pub(crate) fields: Vec<Field>,
}

/// The struct that is made.
pub(crate) struct Twin {
    pub(crate) name: Ident,
    /// What is derived for it, as it was written.
    pub(crate) derives: Option<TokenStream>,
    /// How many rows a small tenant has: what search indexes are planned for.
    pub(crate) rows: Option<LitInt>,
}

impl Record {
    pub(crate) fn parse(input: DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            let message = "`Seal` is not derived for generic records: name the types";
            return Err(Error::new_spanned(input.generics, message));
        }
        let Data::Struct(data) = input.data else {
            return Err(no_record(&input.ident));
        };
        let Fields::Named(named) = data.fields else {
            return Err(no_record(&input.ident));
        };
        let twin = Twin::parse(&input.attrs, &input.ident)?;
        let fields = collect(named.named.into_iter().map(Field::parse))?;
        check_fields(&input.ident, &fields)?;
        check_plan(&twin, &fields)?;
        Ok(Self {
            visibility: input.vis,
            name: input.ident,
            twin,
            fields,
        })
    }
}

impl Twin {
    fn parse(attributes: &[syn::Attribute], record: &Ident) -> Result<Self> {
        let mut twin = Self {
            name: format_ident!("Sealed{record}"),
            derives: None,
            rows: None,
        };
        for attribute in attributes.iter().filter(|it| it.path().is_ident("seal")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("twin") {
                    let name: LitStr = meta.value()?.parse()?;
                    twin.name = name.parse()?;
                } else if meta.path.is_ident("derive") {
                    let list;
                    syn::parenthesized!(list in meta.input);
                    twin.derives = Some(list.parse()?);
                } else if meta.path.is_ident("rows") {
                    twin.rows = Some(meta.value()?.parse()?);
                } else {
                    let known = "`twin = \"…\"`, `derive(…)` or `rows = …`";
                    return Err(attribute::unknown(&meta, known));
                }
                Ok(())
            })?;
        }
        Ok(twin)
    }
}

/// Each fault of each field, not only the first.
fn collect(fields: impl Iterator<Item = Result<Field>>) -> Result<Vec<Field>> {
    let (mut good, mut faults) = (Vec::new(), None::<Error>);
    for field in fields {
        match (field, &mut faults) {
            (Ok(field), _) => good.push(field),
            (Err(fault), Some(faults)) => faults.combine(fault),
            (Err(fault), None) => faults = Some(fault),
        }
    }
    faults.map_or(Ok(good), Err)
}

fn check_fields(record: &Ident, fields: &[Field]) -> Result<()> {
    let personal: Vec<_> = fields.iter().filter_map(Field::personal).collect();
    if personal.is_empty() {
        let message = format!(
            "`{record}` has no field with `#[pii(field = \"…\")]`: there is nothing to seal"
        );
        return Err(Error::new_spanned(record, message));
    }
    for (at, later) in personal.iter().enumerate() {
        let name = later.context.value();
        if personal[..at].iter().any(|it| it.context.value() == name) {
            let message = format!(
                "two fields are sealed as `{name}`: what one of them holds would open in the other's place"
            );
            return Err(Error::new(later.context.span(), message));
        }
    }
    Ok(())
}

/// Search indexes are planned together, and for a number of rows.
fn check_plan(twin: &Twin, fields: &[Field]) -> Result<()> {
    let personal = fields.iter().filter_map(Field::personal);
    let mut bits = personal.flat_map(|it| it.indexes.iter().filter_map(Index::bits));
    match (bits.next(), &twin.rows) {
        (Some(bits), None) => {
            let message = "a search index is planned for the number of rows that a small tenant has: \
                           say `#[seal(rows = …)]` above the struct";
            Err(Error::new(bits.span(), message))
        }
        _ => Ok(()),
    }
}

fn no_record(name: &Ident) -> Error {
    let message = "`Seal` is derived for structs with named fields";
    Error::new_spanned(name, format!("{message}, and `{name}` is none"))
}
