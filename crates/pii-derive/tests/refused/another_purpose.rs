use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(purpose = "phone", field = "customer.email")]
    email: Pii<Email>,
}

fn main() {}
