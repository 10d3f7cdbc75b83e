use portcullis_pii_crypto::{Email, NationalId, Pii, Seal};

#[derive(Seal)]
#[seal(rows = 1_000)]
struct Customer {
    #[pii(field = "customer.email", index(search, bits = 6))]
    email: Pii<Email>,
    #[pii(field = "customer.national_id", index(search, bits = 6))]
    national_id: Pii<NationalId>,
}

fn main() {}
