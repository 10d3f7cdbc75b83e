use portcullis_pii_crypto::Seal;

#[derive(Seal)]
struct Customer {
    plan: String,
}

fn main() {}
