use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(field = "customer.email")]
    email: Pii<Email>,
    #[pii(field = "customer.email")]
    billing: Pii<Email>,
}

fn main() {}
