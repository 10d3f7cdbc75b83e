use portcullis_pii_crypto::{PersonName, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(field = "customer.name", index(trigram))]
    name: Pii<PersonName>,
}

fn main() {}
