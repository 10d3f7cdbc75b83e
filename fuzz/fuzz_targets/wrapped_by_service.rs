//! Data keys that AWS KMS or Vault has wrapped, against the formats that `docs/formats.md` gives.

#![no_main]

use std::{str, sync::LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use libfuzzer_sys::fuzz_target;
use portcullis_fuzz::edits;
use portcullis_keyring::{
    KeyId, Purpose, TenantId,
    fuzzing::{OfAwsKms, OfVault, ciphertext_of_vault},
    kek::{KekContext, WrappedKey},
};
use ring::digest::{SHA256, digest};

/// The longest ciphertext that KMS takes.
const MAX_CIPHERTEXT: usize = 6144;
const MAX_PATH: usize = 512;

static CONTEXTS: LazyLock<Vec<KekContext>> = LazyLock::new(|| {
    // Laid out alike if lengths are left out, or ids.
    let contexts = [
        ("tenant-7", "email", 1),
        ("tenant-7", "email", 2),
        ("tenant-7e", "mail", 1),
    ];
    let context = |(tenant, purpose, id)| {
        let tenant = TenantId::new(tenant).expect("a name");
        let purpose = Purpose::new(purpose).expect("a name");
        KekContext::new(tenant, purpose, KeyId::new(id))
    };
    contexts.map(context).into()
});

static ORIGINALS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let arns = [
        "arn:aws:kms:eu-west-1:123456789012:key/0b3a1c9e-0000-4000-8000-000000000001",
        "arn:aws-cn:kms:cn-north-1:210987654321:key/mrk-0123456789abcdef",
    ];
    let of_aws = CONTEXTS
        .iter()
        .zip([3_u8, 60, 200])
        .flat_map(|(context, length)| {
            let ciphertext: Vec<u8> = (0..length).collect();
            arns.map(|arn| aws_kms(context, arn, &ciphertext))
        });
    let of_vault = [("transit", "ingest", 1_u32), ("team/transit", "keys", 700)];
    let of_vault = of_vault.map(|(mount, key, version)| vault(version, mount, key, &[7; 60]));
    of_aws.chain(of_vault).collect()
});

// An input is a wrapped key if it begins as one does, what Vault answers if it begins as that does, and
// otherwise a recipe: which original to take, and what to change in it.
fuzz_target!(|input: &[u8]| {
    let bytes = match input {
        [0xfa, ..] | [] => input.to_vec(),
        [b'v', ..] => return check_answer(&String::from_utf8_lossy(input)),
        [which, changes @ ..] => edits::changed(&ORIGINALS, *which, changes),
    };
    let wrapped = WrappedKey::from_bytes(bytes.clone());
    for context in CONTEXTS.iter() {
        let parsed = OfAwsKms::parse(context, &wrapped);
        assert_eq!(parsed, read_aws_kms(context, &bytes), "of AWS KMS");
    }
    let parsed = OfVault::parse(&wrapped);
    assert_eq!(parsed, read_vault(&bytes), "of Vault");
    if let Some(parsed) = parsed {
        assert_eq!(parsed.made, wrapped, "one key has one spelling");
        check_answer(&parsed.ciphertext);
    }
});

/// What Vault answers is read as what it is sent, or not at all.
fn check_answer(text: &str) {
    let Some((version, bytes)) = ciphertext_of_vault(text) else {
        return;
    };
    assert!(version > 0 && !bytes.is_empty());
    let wrapped = WrappedKey::from_bytes(vault(version, "transit", "ingest", &bytes));
    let parsed = OfVault::parse(&wrapped).expect("it has the form");
    let again = ciphertext_of_vault(&parsed.ciphertext);
    assert_eq!(
        again,
        Some((version, bytes)),
        "what it is sent says the same"
    );
}

/// `FA ‖ 02 ‖ lp16(ARN) ‖ check 16 ‖ ciphertext`, made here and not by the crate.
fn aws_kms(context: &KekContext, arn: &str, ciphertext: &[u8]) -> Vec<u8> {
    let length = u16::try_from(arn.len()).expect("it is short").to_be_bytes();
    let mut bytes = vec![0xfa, 2];
    bytes.extend(length);
    bytes.extend(arn.as_bytes());
    bytes.extend(check_of(context, arn, ciphertext));
    bytes.extend(ciphertext);
    bytes
}

fn check_of(context: &KekContext, arn: &str, ciphertext: &[u8]) -> [u8; 16] {
    let mut hashed = b"portcullis/dek/aws-kms/v1\0".to_vec();
    for part in [context.tenant().as_str(), context.purpose().as_str()] {
        hashed.extend(
            u32::try_from(part.len())
                .expect("it is short")
                .to_be_bytes(),
        );
        hashed.extend(part.as_bytes());
    }
    hashed.extend(context.key_id().value().to_be_bytes());
    hashed.extend(u16::try_from(arn.len()).expect("it is short").to_be_bytes());
    hashed.extend(arn.as_bytes());
    hashed.extend(ciphertext);
    let hash = digest(&SHA256, &hashed);
    *hash.as_ref().first_chunk().expect("it has 32 bytes")
}

/// The same read back, by this target's own reading of the format.
fn read_aws_kms(context: &KekContext, bytes: &[u8]) -> Option<OfAwsKms> {
    let length = usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?));
    let key = str::from_utf8(bytes.get(4..4 + length)?).ok()?;
    let check = bytes.get(4 + length..20 + length)?;
    let ciphertext = &bytes[20 + length..];
    let is_read =
        bytes[..2] == [0xfa, 2] && is_arn(key) && (1..=MAX_CIPHERTEXT).contains(&ciphertext.len());
    is_read.then(|| OfAwsKms {
        key: key.to_owned(),
        ciphertext: ciphertext.to_vec(),
        is_intact: check == check_of(context, key, ciphertext),
        made: Some(WrappedKey::from_bytes(aws_kms(context, key, ciphertext))),
    })
}

/// `arn:aws…:kms:<region>:<twelve digits>:key/<id>`, of small letters, digits and hyphens.
fn is_arn(text: &str) -> bool {
    let is_word = |text: &str| {
        let is_part = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        (1..=64).contains(&text.len()) && text.bytes().all(is_part)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", partition, "kms", region, account, resource] = parts[..] else {
        return false;
    };
    partition.starts_with("aws")
        && is_word(partition)
        && is_word(region)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
        && resource.strip_prefix("key/").is_some_and(is_word)
}

/// `FA ‖ 03 ‖ version u32 ‖ lp32(mount) ‖ lp32(key) ‖ ciphertext`, made here and not by the crate.
fn vault(version: u32, mount: &str, key: &str, ciphertext: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xfa, 3];
    bytes.extend(version.to_be_bytes());
    for path in [mount, key] {
        bytes.extend(
            u32::try_from(path.len())
                .expect("it is short")
                .to_be_bytes(),
        );
        bytes.extend(path.as_bytes());
    }
    bytes.extend(ciphertext);
    bytes
}

/// The same read back, by this target's own reading of the format.
fn read_vault(bytes: &[u8]) -> Option<OfVault> {
    let number = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    let path = |at: usize| {
        let length = usize::try_from(number(at)?)
            .ok()
            .filter(|length| *length <= MAX_PATH)?;
        let path = str::from_utf8(bytes.get(at + 4..at + 4 + length)?).ok()?;
        is_path(path).then_some(path)
    };
    let version = number(2)?;
    let mount = path(6)?;
    let key = path(10 + mount.len())?;
    let ciphertext = &bytes[14 + mount.len() + key.len()..];
    let is_read = bytes[..2] == [0xfa, 3] && version > 0 && !ciphertext.is_empty();
    is_read.then(|| OfVault {
        version: format!("{mount}/{key}:v{version}"),
        ciphertext: format!("vault:v{version}:{}", STANDARD.encode(ciphertext)),
        made: WrappedKey::from_bytes(bytes.to_vec()),
    })
}

fn is_path(path: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    let is_sign = |b: u8| b.is_ascii_graphic() && !b"?#%\\".contains(&b);
    path.bytes().all(is_sign) && path.split('/').all(is_part)
}
