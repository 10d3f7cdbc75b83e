use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(field = "customer.email")]
    email: Pii<Email>,
}

fn main() {
    let email: Pii<Email> = Pii::parse("jo@example.com").unwrap();
    let _ = SealedCustomer { email };
}
