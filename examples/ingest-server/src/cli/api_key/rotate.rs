//! `api-key rotate`: a key takes the place of another.

use std::{io, time::Duration};

use clap::Args;
use serde_json::json;

use super::{CliError, CommandError, is_discarded, revoke_unseen};
use crate::{
    admin::{Actor, ApiKeys, RotatedApiKey, RotationRequest},
    cli::print,
};

#[derive(Debug, Args)]
pub(in crate::cli) struct Rotate {
    /// The id of the key that is to be replaced, as `list` shows it.
    kid: String,
    /// How long both keys are good: a number of seconds, minutes, hours or days, such as 90s, 24h or 7d;
    /// 0 revokes the old one at once.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = overlap)]
    overlap: Duration,
    /// When the new key ends, RFC 3339. It inherits no end: if the old one has one, as each has that was
    /// replaced before, this must be given; otherwise the new one never ends.
    #[arg(long, value_name = "TIME")]
    expires_at: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn rotate(
    keys: &ApiKeys,
    actor: &Actor,
    arguments: Rotate,
) -> Result<(), CliError> {
    let request = RotationRequest {
        overlap_seconds: Some(arguments.overlap.as_secs()),
        expires_at: arguments.expires_at,
    };
    if is_discarded(&io::stdout()) {
        return Err(CommandError::Unseen.into());
    }
    let old = arguments.kid;
    let rotated = keys.rotate(actor, &old, &request).await;
    let rotated = rotated.map_err(CommandError::from)?;
    let published = rotated.published();
    let RotatedApiKey {
        new,
        expires_at,
        old_ends_at,
        ..
    } = rotated;
    // EXPOSE: the holder has to learn the key, once.
    let (kid, key) = (&new.kid, new.key.hazmat_expose());
    let printed = if arguments.json {
        let line = json!({
            "kid": kid.as_str(), "key": key, "expires_at": expires_at, "old_ends_at": old_ends_at,
            "published": published,
        });
        print(&line.to_string())
    } else {
        let expires_at = expires_at.as_deref().unwrap_or("never");
        print(&format!(
            "kid {kid}\nkey {key}\nexpires_at {expires_at}\nold_ends_at {old_ends_at}"
        ))
    };
    let Err(CliError::Output(kind)) = printed else {
        return printed;
    };
    let unseen = Box::new(revoke_unseen(keys, actor, kid, kind).await);
    Err(CommandError::RotatedUnseen {
        unseen,
        old,
        old_ends_at,
    }
    .into())
}

/// A whole number and its unit; of nothing the unit may be left out.
fn overlap(text: &str) -> Result<Duration, &'static str> {
    const FORM: &str = "write a whole number with s, m, h or d behind it, such as 24h, or 0";
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (number, seconds) = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)]
        .into_iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))
        .ok_or(FORM)?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(FORM);
    }
    let number: u64 = number.parse().map_err(|_| FORM)?;
    let seconds = number.checked_mul(seconds).ok_or(FORM)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlap_is_a_whole_number_with_a_unit() {
        for (text, seconds) in [
            ("0", 0),
            ("0h", 0),
            ("90s", 90),
            ("5m", 300),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(overlap(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "-1h",
            "+1h",
            "1.5h",
            "1 h",
            "24H",
            "1w",
            "1h30m",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(overlap(text).is_err(), "{text}");
        }
    }
}
