use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(feild = "customer.email")]
    email: Pii<Email>,
}

fn main() {}
