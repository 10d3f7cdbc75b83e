use portcullis_pii_crypto::{Email, Pii};

#[derive(serde::Serialize)]
struct Customer {
    email: Pii<Email>,
}

fn main() {}
