//! A tenant's data key, wrapped by AWS KMS: made, opened, and wrapped again by the next KMS key.
//!
//! Region and credentials come from the environment. The first key is the former one and the second the next;
//! one key alone is taken as both. Without an account, on moto:
//!
//! ```text
//! moto_server -p 5000 &
//! export AWS_ENDPOINT_URL=http://127.0.0.1:5000 AWS_REGION=us-east-1
//! export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
//! key=$(aws kms create-key --query KeyMetadata.Arn --output text)
//! cargo run -p portcullis-keyring --features aws-kms --example aws_kms -- "$key"
//! ```

mod two_keys;

use std::{env, error::Error};

use portcullis_keyring::secrets::aws::AwsConnection;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut keys = env::args().skip(1);
    let former = keys
        .next()
        .ok_or("give the ARN of a KMS key: aws_kms <arn> [<arn of the next key>]")?;
    let next = keys.next().unwrap_or_else(|| former.clone());
    let connection = AwsConnection::from_env().await?;
    two_keys::run(&connection, &former, &next).await
}
