use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(field = "customer.email", index(search, bits = 6))]
    email: Pii<Email>,
}

fn main() {}
