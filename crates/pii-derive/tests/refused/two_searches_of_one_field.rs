use portcullis_pii_crypto::{PersonName, Pii, Seal};

#[derive(Seal)]
#[seal(rows = 50_000)]
struct Customer {
    #[pii(
        field = "customer.name",
        index(search, bits = 12),
        index(trigram, accept_leak = "name-equality")
    )]
    name: Pii<PersonName>,
}

fn main() {}
