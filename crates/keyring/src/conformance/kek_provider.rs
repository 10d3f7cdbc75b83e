//! What every [`KekProvider`] has to do.

use std::sync::Arc;

use super::{Clause, clauses, context};
use crate::{
    DataKey,
    kek::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey},
};

/// Checks a key-encryption key against the contract of [`KekProvider`]; `make` makes one for each
/// clause, and may give the same each time. It makes some 300 calls.
///
/// # Panics
/// The key-encryption key breaks the contract, or fails. The message names the clause.
pub async fn kek_provider(make: impl AsyncFn() -> Arc<dyn KekProvider>) {
    clauses! { "KekProvider";
        what_is_wrapped_unwraps(&*make().await);
        every_generated_key_is_another(&*make().await);
        a_wrapped_key_opens_in_its_context_only(&*make().await);
        no_altered_byte_opens(&*make().await);
        no_shortened_or_lengthened_key_opens(&*make().await);
        rewrapping_keeps_the_key_and_its_context(&*make().await);
        a_wrapped_key_tells_the_primary_version(&*make().await);
    }
}

/// The key in the clear.
pub(crate) fn raw(key: &DataKey) -> [u8; 32] {
    // EXPOSE: compared with another, in a test.
    *key.hazmat_export()
}

async fn generate(clause: Clause, kek: &dyn KekProvider, context: &KekContext) -> GeneratedKey {
    clause.done("generate", kek.generate(context).await)
}

/// That `wrapped` opens as `key`. No message shows a key.
async fn opens_as(
    clause: Clause,
    kek: &dyn KekProvider,
    context: &KekContext,
    wrapped: &WrappedKey,
    key: &DataKey,
) {
    let opened = clause.done("unwrap_key", kek.unwrap_key(context, wrapped).await);
    clause.holds(raw(&opened) == raw(key), "it opened as another key");
}

/// That it is [`KekError::Rejected`]. No message shows what was opened.
fn is_rejected<T>(clause: Clause, what: &str, answer: Result<T, KekError>) {
    match answer {
        Err(KekError::Rejected) => {}
        Err(error) => clause.fails(format_args!("{what}: {error}")),
        Ok(_) => clause.fails(format_args!("{what}: it opened")),
    }
}

async fn what_is_wrapped_unwraps(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = generate(clause, kek, &here).await;
    opens_as(clause, kek, &here, &made.wrapped, &made.key).await;
    let again = clause.done("wrap", kek.wrap(&here, &made.key).await);
    opens_as(clause, kek, &here, &again, &made.key).await;
}

async fn every_generated_key_is_another(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let one = generate(clause, kek, &here).await;
    let other = generate(clause, kek, &here).await;
    clause.holds(raw(&one.key) != raw(&other.key), "two are the same");
}

async fn a_wrapped_key_opens_in_its_context_only(clause: Clause, kek: &dyn KekProvider) {
    let made = generate(clause, kek, &context("tenant", "email", 7)).await;
    for (tenant, purpose, id) in [
        ("tenanu", "email", 7),
        ("tenant", "phone", 7),
        ("tenant", "email", 8),
        ("tenan", "temail", 7),
        ("tenantemail", "e", 7),
    ] {
        let (elsewhere, what) = (
            context(tenant, purpose, id),
            format!("{tenant} {purpose} {id}"),
        );
        let opened = kek.unwrap_key(&elsewhere, &made.wrapped).await;
        is_rejected(clause, &what, opened);
        let rewrapped = kek.rewrap(&elsewhere, &made.wrapped).await;
        is_rejected(clause, &what, rewrapped);
    }
}

async fn no_altered_byte_opens(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let wrapped = generate(clause, kek, &here).await.wrapped;
    for at in 0..wrapped.as_bytes().len() {
        let mut bytes = wrapped.as_bytes().to_vec();
        bytes[at] ^= 1 << (at % 8);
        let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
        if !matches!(answer, Err(KekError::UnknownVersion(_))) {
            is_rejected(clause, &format!("byte {at}"), answer);
        }
    }
}

async fn no_shortened_or_lengthened_key_opens(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let wrapped = generate(clause, kek, &here).await.wrapped;
    let longer = [wrapped.as_bytes(), &[0]].concat();
    let shorter = (0..wrapped.as_bytes().len()).map(|len| wrapped.as_bytes()[..len].to_vec());
    for bytes in shorter.chain([longer]) {
        let what = format!("{} bytes", bytes.len());
        let answer = kek.unwrap_key(&here, &WrappedKey::from_bytes(bytes)).await;
        is_rejected(clause, &what, answer);
    }
}

async fn rewrapping_keeps_the_key_and_its_context(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = generate(clause, kek, &here).await;
    let again = clause.done("rewrap", kek.rewrap(&here, &made.wrapped).await);
    clause.holds(again != made.wrapped, "it is wrapped as before");
    opens_as(clause, kek, &here, &again, &made.key).await;
    let elsewhere = kek.unwrap_key(&context("u", "email", 7), &again).await;
    is_rejected(clause, "another tenant", elsewhere);
}

/// Those that do not tell have nothing to do.
async fn a_wrapped_key_tells_the_primary_version(clause: Clause, kek: &dyn KekProvider) {
    let here = context("t", "email", 7);
    let made = generate(clause, kek, &here).await;
    let wrapped = clause.done("wrap", kek.wrap(&here, &made.key).await);
    let again = clause.done("rewrap", kek.rewrap(&here, &made.wrapped).await);
    let primary = clause.done("primary", kek.primary().await);
    let Some(primary) = primary else { return };
    for (what, wrapped) in [
        ("generate", made.wrapped),
        ("wrap", wrapped),
        ("rewrap", again),
    ] {
        clause.same(what, kek.version_of(&wrapped), Some(primary.clone()));
        clause.holds(kek.opens(&wrapped), "it does not know its own");
    }
}
