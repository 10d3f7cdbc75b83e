//! Which of several providers is asked, and what it costs to move from one to the next.

use portcullis_versioned_secrets::{SecretVersion, VersionedSecrets};
use secrecy::SecretBox;

use super::*;
use crate::{
    conformance::{self, context, raw},
    kek::LocalKek,
};

/// A provider whose keys name a version that no other one has.
fn kek(number: u32) -> Arc<dyn KekProvider> {
    let version: SecretVersion = number.try_into().expect("not zero");
    let byte = u8::try_from(number).expect("a small number");
    let secret = SecretBox::new(Box::new([byte; 32]));
    let keys = VersionedSecrets::new(version, [(version, secret)]);
    Arc::new(LocalKek::new(keys.expect("one version")))
}

#[tokio::test]
async fn they_are_a_kek_provider() {
    conformance::kek_provider(async || Arc::new(KekProviders::new(kek(1)).also_opens(kek(2))) as _)
        .await;
}

#[tokio::test]
async fn each_opens_its_own_and_the_primary_one_wraps() {
    let (former, next) = (kek(1), kek(2));
    let here = context("t", "email", 7);
    let made = former.generate(&here).await.expect("a key");
    let before = KekProviders::new(Arc::clone(&former)).also_opens(Arc::clone(&next));
    let after = KekProviders::new(Arc::clone(&next)).also_opens(Arc::clone(&former));
    assert!(before.opens(&made.wrapped) && after.opens(&made.wrapped));
    assert!(!next.opens(&made.wrapped));

    let moved = after.rewrap(&here, &made.wrapped).await.expect("it moves");
    assert!(next.opens(&moved) && !former.opens(&moved));
    assert_eq!(after.version_of(&made.wrapped).as_deref(), Some("1"));
    assert_eq!(
        after.primary().await.expect("it says"),
        after.version_of(&moved)
    );
    // Processes of before and of after open both, and the next one alone what has moved.
    for (kek, wrapped) in [
        (&before, &made.wrapped),
        (&before, &moved),
        (&after, &made.wrapped),
        (&after, &moved),
        (&KekProviders::new(next), &moved),
    ] {
        let opened = kek.unwrap_key(&here, wrapped).await.expect("it opens");
        assert_eq!(raw(&opened), raw(&made.key));
    }
}

#[tokio::test]
async fn nothing_moves_to_another_context() {
    let (former, next) = (kek(1), kek(2));
    let made = former.generate(&context("t", "email", 7)).await;
    let made = made.expect("a key");
    let after = KekProviders::new(next).also_opens(former);
    let elsewhere = context("u", "email", 7);
    let moved = after.rewrap(&elsewhere, &made.wrapped).await;
    assert!(matches!(moved, Err(KekError::Rejected)), "{moved:?}");
}

#[tokio::test]
async fn what_nobody_opens_is_refused_by_one_who_can_say_why() {
    let here = context("t", "email", 7);
    let made = kek(3).generate(&here).await.expect("a key");
    let kek = KekProviders::new(kek(1)).also_opens(kek(2));
    assert!(!kek.opens(&made.wrapped));
    let refused = kek.unwrap_key(&here, &made.wrapped).await;
    assert!(
        matches!(&refused, Err(KekError::UnknownVersion(version)) if version.value() == 3),
        "{refused:?}"
    );
}
