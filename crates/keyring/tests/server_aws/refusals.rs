//! Which error of KMS is a refusal of the wrapped key, and which is an outage.

use std::{error::Error, num::NonZeroU32};

use portcullis_keyring::kek::{AwsKms, KekError, KekProvider as _};

use super::{
    moto::{self, Moto, connection, context},
    proxy::Proxy,
};

/// As the API reference of KMS lists them for `Decrypt` and `ReEncrypt`, and the errors that all services share.
const OUTAGES: [(u16, &str); 17] = [
    (400, "AccessDeniedException"),
    (400, "DependencyTimeoutException"),
    (400, "DisabledException"),
    (400, "ExpiredTokenException"),
    (400, "InvalidGrantTokenException"),
    (400, "InvalidKeyUsageException"),
    (400, "InvalidSignatureException"),
    (400, "KMSInternalException"),
    (400, "KMSInvalidStateException"),
    (400, "KeyUnavailableException"),
    (400, "LimitExceededException"),
    (400, "NotFoundException"),
    (400, "ThrottlingException"),
    (400, "UnrecognizedClientException"),
    (400, "ValidationException"),
    (500, "InternalFailure"),
    (503, "ServiceUnavailable"),
];

const REFUSALS: [&str; 2] = ["InvalidCiphertextException", "IncorrectKeyException"];

/// An error and its causes, in every way that they can be printed.
pub(crate) fn told(mut error: &dyn Error) -> String {
    let mut told = format!("{error}{error:?}");
    while let Some(cause) = error.source() {
        told += &format!("{cause}{cause:?}");
        error = cause;
    }
    told
}

#[tokio::test]
async fn each_error_is_what_it_says() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let kek = AwsKms::new(
        &connection(&proxy.endpoint(), "test", "test").await,
        &moto.key(),
    );
    let kek = kek.unwrap();
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();

    for code in REFUSALS {
        proxy.fails("Decrypt", 400, code);
        let opened = kek.unwrap_key(&here, &made.wrapped).await;
        assert!(
            matches!(opened, Err(KekError::Rejected)),
            "{code}: {opened:?}"
        );
        proxy.fails("ReEncrypt", 400, code);
        let again = kek.rewrap(&here, &made.wrapped).await;
        assert!(
            matches!(again, Err(KekError::Rejected)),
            "{code}: {again:?}"
        );
    }
    for (status, code) in OUTAGES {
        for operation in ["Decrypt", "ReEncrypt", "GenerateDataKey", "Encrypt"] {
            proxy.fails(operation, status, code);
        }
        is_unavailable(code, kek.unwrap_key(&here, &made.wrapped).await);
        is_unavailable(code, kek.rewrap(&here, &made.wrapped).await);
        is_unavailable(code, kek.generate(&here).await);
        is_unavailable(code, kek.wrap(&here, &made.key).await);
    }
    proxy.passes_on();
    kek.unwrap_key(&here, &made.wrapped).await.unwrap();
}

/// It names the code, so that an operator knows what to do.
fn is_unavailable<T: std::fmt::Debug>(code: &str, answer: Result<T, KekError>) {
    let error = answer.unwrap_err();
    assert!(
        matches!(error, KekError::Unavailable(_)),
        "{code}: {error:?}"
    );
    let cause = error.source().unwrap().to_string();
    assert!(cause.starts_with("kms:") && cause.contains(code), "{cause}");
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_an_outage() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let (key, other) = (moto.key(), moto.key());
    let kek = AwsKms::new(&connection, &key).unwrap();
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    for (status, body) in [
        (200, String::new()),
        (200, "<html>".to_owned()),
        (200, "{}".to_owned()),
        (200, "{\"CiphertextBlob\":\"AAAA\"}".to_owned()),
        (
            200,
            format!("{{\"CiphertextBlob\":\"AAAA\",\"KeyId\":\"{other}\"}}"),
        ),
        (
            200,
            format!("{{\"CiphertextBlob\":\"\",\"KeyId\":\"{key}\"}}"),
        ),
        (502, "<html>".to_owned()),
        (302, String::new()),
    ] {
        for operation in ["ReEncrypt", "GenerateDataKey", "Encrypt"] {
            proxy.answers(operation, status, body.clone());
        }
        let answers = [
            kek.generate(&here).await.map(drop),
            kek.wrap(&here, &made.key).await.map(drop),
            kek.rewrap(&here, &made.wrapped).await.map(drop),
        ];
        for answer in answers {
            assert!(
                matches!(answer, Err(KekError::Unavailable(_))),
                "{body}: {answer:?}"
            );
        }
    }
}

/// Nothing of an answer to `Decrypt` may be printed, however wrong it is.
#[tokio::test]
async fn no_error_prints_a_key() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "canary-of-the-secret-access-key").await;
    let kek = AwsKms::new(&connection, &moto.key()).unwrap();
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    let secret = "Y2FuYXJ5LW9mLXRoZS1kYXRhLWtleS0tLS0tLS0tLQ";
    let mut printed = format!("{kek:?}{kek:#?}{made:?}{connection:?}");
    for body in [
        format!("{{\"Plaintext\":\"{secret}"),
        format!("{{\"Plaintext\":[\"{secret}=\"]}}"),
        format!("{{\"Plaintext\":\"{secret}AAAA\"}}"),
        format!(
            "{{\"__type\":\"ValidationException\",\"message\":\"Value '{secret}' at 'plaintext'\"}}"
        ),
    ] {
        for status in [200, 400] {
            proxy.answers("Decrypt", status, body.clone());
            let error = kek.unwrap_key(&here, &made.wrapped).await.unwrap_err();
            printed += &format!("{}{error:#?}", told(&error));
        }
    }
    for part in ["Y2FuYXJ5", "canary", "63, 61, 6e"] {
        assert!(!printed.contains(part), "{printed}");
    }
}

/// Where another attempt can help, one is made; where it cannot, none.
#[tokio::test]
async fn a_call_is_sent_once_whatever_the_connection_allows() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let builder = moto::builder(&proxy.endpoint(), "test", "test");
    let connection = builder.attempts(NonZeroU32::new(3).unwrap()).build().await;
    let kek = AwsKms::new(&connection.unwrap(), &moto.key()).unwrap();
    let here = context("tenant", "email", 7);
    for (status, code) in [
        (400, "ThrottlingException"),
        (500, "InternalFailure"),
        (400, "AccessDeniedException"),
        (400, "DisabledException"),
    ] {
        let before = proxy.count("GenerateDataKey");
        proxy.fails("GenerateDataKey", status, code);
        is_unavailable(code, kek.generate(&here).await);
        assert_eq!(proxy.count("GenerateDataKey") - before, 1, "{code}");
    }
}
