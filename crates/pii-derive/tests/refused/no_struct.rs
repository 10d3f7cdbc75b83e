use portcullis_pii_crypto::Seal;

#[derive(Seal)]
enum Customer {
    Known,
}

fn main() {}
