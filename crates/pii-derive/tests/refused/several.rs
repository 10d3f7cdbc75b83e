use portcullis_pii_crypto::{Email, Pii, Seal};

#[derive(Seal)]
struct Customer {
    #[pii(field = "customer.emails")]
    emails: Vec<Pii<Email>>,
    others: Vec<Pii<Email>>,
    #[pii(field = "customer.plan")]
    plan: String,
}

fn main() {}
