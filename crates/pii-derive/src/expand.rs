//! The code that is made of a record.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::{Ident, LitInt, spanned::Spanned as _};

use crate::{
    field::{Content, Field, Personal},
    index::Index,
    record::Record,
};

pub(crate) fn expand(record: &Record) -> TokenStream {
    let (twin, checks) = (twin(record), checks(record));
    let (plan, seal, open) = (plan(record), seal(record), open(record));
    quote! {
        #twin
        #checks
        #plan
        #seal
        #open
    }
}

fn twin(record: &Record) -> TokenStream {
    let Record {
        visibility, name, ..
    } = record;
    let twin = &record.twin.name;
    let derives = record.twin.derives.as_ref();
    let derives = derives.map_or_else(|| quote!(Clone, Debug), Clone::clone);
    let fields = record.fields.iter().map(twin_fields);
    let docs = format!("[`{name}`] with its personal data sealed, and what it is found by.");
    quote! {
        #[doc = #docs]
        #[derive(#derives)]
        #visibility struct #twin { #(#fields)* }
    }
}

fn twin_fields(field: &Field) -> TokenStream {
    let Field {
        visibility,
        name,
        docs,
        ..
    } = field;
    let personal = match &field.content {
        Content::Plain(of) => return quote! { #(#docs)* #visibility #name: #of, },
        Content::Personal(personal) => personal,
    };
    let kind = &personal.kind;
    let sealed = quote!(::portcullis_pii_crypto::Sealed<#kind>);
    let sealed = if personal.is_optional {
        quote!(::core::option::Option<#sealed>)
    } else {
        sealed
    };
    let indexes = personal.indexes.iter().map(|index| {
        let name = index_name(name, index);
        let docs = index_docs(personal, index);
        quote! {
            #[doc = #docs]
            #visibility #name: ::std::vec::Vec<::portcullis_pii_crypto::IndexValue>,
        }
    });
    quote! {
        #(#docs)*
        #visibility #name: #sealed,
        #(#indexes)*
    }
}

fn index_docs(personal: &Personal, index: &Index) -> String {
    let field = personal.context.value();
    match index {
        Index::Unique => format!(
            "The fingerprints of `{field}`: one for each live version, the enforced one first."
        ),
        Index::Search { .. } => format!(
            "What `{field}` is searched by: one value for each live version, the enforced one first."
        ),
        Index::Trigram => format!("What parts of `{field}` are searched by."),
    }
}

/// What no attribute can know: whether the purpose is that of the type.
fn checks(record: &Record) -> TokenStream {
    let personal = record.fields.iter().filter_map(Field::personal);
    let checks = personal.filter_map(|personal| {
        let (kind, purpose) = (&personal.kind, personal.purpose.as_ref()?);
        Some(quote_spanned! { purpose.span() =>
            const _: () = ::core::assert!(
                ::portcullis_pii_crypto::record::is_purpose_of::<#kind>(#purpose),
                "this is not the purpose of the field's type: see `PiiType::PURPOSE`",
            );
        })
    });
    quote!(#(#checks)*)
}

/// The bits of all search indexes of a row, which are judged together when the program is compiled.
fn plan(record: &Record) -> TokenStream {
    let searched: Vec<_> = record.fields.iter().filter_map(searched).collect();
    let (Some(rows), false) = (&record.twin.rows, searched.is_empty()) else {
        return TokenStream::new();
    };
    let name = &record.name;
    let bits = searched.iter().map(|(_, bits)| bits);
    let constants = searched.iter().enumerate().map(|(at, (field, _))| {
        let plan = plan_name(field);
        quote! { const #plan: ::portcullis_pii_crypto::plan::SearchBits = Self::PLANNED_SEARCH_BITS[#at]; }
    });
    let count = searched.len();
    quote_spanned! { rows.span() =>
        impl #name {
            const PLANNED_SEARCH_BITS: [::portcullis_pii_crypto::plan::SearchBits; #count] =
                match ::portcullis_pii_crypto::plan::search_bits(#rows, [#(#bits),*]) {
                    ::core::result::Result::Ok(bits) => bits,
                    ::core::result::Result::Err(_) => ::core::panic!(
                        "the bits of the search indexes tell so many rows apart, or are of no use for them: \
                         `plan::search_bits` says which to choose",
                    ),
                };
            #(#constants)*
        }
    }
}

fn searched(field: &Field) -> Option<(&Ident, &LitInt)> {
    let bits = field.personal()?.indexes.iter().find_map(Index::bits)?;
    Some((&field.name, bits))
}

fn plan_name(field: &Ident) -> Ident {
    format_ident!("{}_SEARCH_BITS", field.to_string().to_uppercase())
}

fn seal(record: &Record) -> TokenStream {
    let (name, twin) = (&record.name, &record.twin.name);
    let described = record.fields.iter().filter_map(Field::personal);
    let described = described.map(|personal| {
        let (kind, field) = (&personal.kind, &personal.context);
        quote!(::portcullis_pii_crypto::record::RecordField::of::<#kind>(#field))
    });
    let sealed = record.fields.iter().map(|field| sealed(field, None));
    let stored = format_ident!("stored");
    let changed = record
        .fields
        .iter()
        .map(|field| self::sealed(field, Some(&stored)));
    quote! {
        impl ::portcullis_pii_crypto::record::Seal for #name {
            type Sealed = #twin;

            const FIELDS: &'static [::portcullis_pii_crypto::record::RecordField] = &[#(#described),*];

            fn seal(
                &self,
                cipher: &::portcullis_pii_crypto::Cipher,
                indexes: &::portcullis_pii_crypto::IndexRoots,
                record: &str,
            ) -> ::core::result::Result<#twin, ::portcullis_pii_crypto::record::SealFieldError> {
                let sealer = ::portcullis_pii_crypto::record::Sealer::new(cipher, indexes, record);
                ::core::result::Result::Ok(#twin { #(#sealed)* })
            }

            fn seal_changes(
                &self,
                stored: &#twin,
                cipher: &::portcullis_pii_crypto::Cipher,
                indexes: &::portcullis_pii_crypto::IndexRoots,
                record: &str,
            ) -> ::core::result::Result<#twin, ::portcullis_pii_crypto::record::SealFieldError> {
                let sealer = ::portcullis_pii_crypto::record::Sealer::new(cipher, indexes, record);
                ::core::result::Result::Ok(#twin { #(#changed)* })
            }
        }
    }
}

/// The fields of the twin that a field gives, each with its value.
fn sealed(field: &Field, stored: Option<&Ident>) -> TokenStream {
    let name = &field.name;
    let personal = match &field.content {
        Content::Plain(_) => return quote! { #name: ::core::clone::Clone::clone(&self.#name), },
        Content::Personal(personal) => personal,
    };
    let context = &personal.context;
    let value = match (stored, personal.is_optional) {
        (None, false) => quote!(sealer.seal(#context, &self.#name)?),
        (None, true) => quote!(sealer.seal_optional(#context, self.#name.as_ref())?),
        (Some(stored), false) => quote!(sealer.seal_change(#context, &self.#name, &#stored.#name)?),
        (Some(stored), true) => quote! {
            sealer.seal_optional_change(#context, self.#name.as_ref(), #stored.#name.as_ref())?
        },
    };
    let given = if personal.is_optional {
        quote!(self.#name.as_ref())
    } else {
        quote!(::core::option::Option::Some(&self.#name))
    };
    let kind = &personal.kind;
    let indexes = personal.indexes.iter().map(|index| {
        let (name, span) = (index_name(name, index), kind.span());
        let values = match index {
            Index::Unique => quote_spanned!(span => sealer.unique(#context, #given)),
            Index::Search { .. } => {
                let plan = plan_name(&field.name);
                quote_spanned!(span => sealer.search(#context, Self::#plan, #given))
            }
            Index::Trigram => quote_spanned! { span =>
                sealer.trigrams(
                    #context,
                    ::portcullis_pii_crypto::AcceptLeak::NameEquality,
                    #given,
                )
            },
        };
        quote!(#name: #values,)
    });
    quote! {
        #name: #value,
        #(#indexes)*
    }
}

fn open(record: &Record) -> TokenStream {
    let (name, twin) = (&record.name, &record.twin.name);
    let opened = record.fields.iter().map(|field| {
        let name = &field.name;
        let Some(personal) = field.personal() else {
            return quote! { #name: ::core::clone::Clone::clone(&self.#name), };
        };
        let context = &personal.context;
        if personal.is_optional {
            quote!(#name: opener.open_optional(#context, self.#name.as_ref())?,)
        } else {
            quote!(#name: opener.open(#context, &self.#name)?,)
        }
    });
    let personal = || record.fields.iter().filter(|it| it.personal().is_some());
    let keys = personal().map(|field| {
        let name = &field.name;
        quote!(keys.extend(::portcullis_pii_crypto::record::key_of(&self.#name));)
    });
    let read = personal().map(|field| {
        let (name, personal) = (&field.name, field.personal());
        let context = personal.map(|personal| &personal.context);
        quote!(fields.extend(
            ::portcullis_pii_crypto::record::row_field(#context, record, &self.#name)
        );)
    });
    let replaced = personal().map(|field| {
        let (name, personal) = (&field.name, field.personal());
        let context = personal.map(|personal| &personal.context);
        quote!(#context => ::portcullis_pii_crypto::record::replace(&mut self.#name, sealed),)
    });
    quote! {
        impl ::portcullis_pii_crypto::record::SealedRecord for #twin {
            type Opened = #name;

            fn open(
                &self,
                cipher: &::portcullis_pii_crypto::Cipher,
                record: &str,
            ) -> ::core::result::Result<#name, ::portcullis_pii_crypto::record::OpenFieldError> {
                let opener = ::portcullis_pii_crypto::record::Opener::new(cipher, record);
                ::core::result::Result::Ok(#name { #(#opened)* })
            }

            fn key_ids(&self) -> ::std::vec::Vec<::portcullis_pii_crypto::KeyId> {
                let mut keys = ::std::vec::Vec::new();
                #(#keys)*
                keys.sort_unstable();
                keys.dedup();
                keys
            }

            fn row_fields(
                &self,
                record: &str,
            ) -> ::std::vec::Vec<::portcullis_pii_crypto::reencrypt::RowField> {
                let mut fields = ::std::vec::Vec::new();
                #(#read)*
                fields
            }

            fn replace(
                &mut self,
                field: &str,
                sealed: ::portcullis_pii_crypto::Sealed<::portcullis_pii_crypto::AnyPii>,
            ) -> bool {
                match field {
                    #(#replaced)*
                    _ => false,
                }
            }
        }
    }
}

fn index_name(field: &Ident, index: &Index) -> Ident {
    format_ident!("{field}_{}", index.suffix())
}
