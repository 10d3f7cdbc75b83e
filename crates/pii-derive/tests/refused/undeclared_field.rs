use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    email: Pii<Email>,
}

fn main() {}
