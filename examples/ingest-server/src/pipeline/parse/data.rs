//! The data of an event: JSON that stands in it, or JSON in base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::attributes::Attributes;
use crate::{
    fields::MediaType,
    json,
    pipeline::{frame::Defined, rejection::Rejection},
    quality::Reason,
};

/// Takes the data out of an event.
pub(super) fn take(attributes: &mut Attributes) -> Result<Value, Rejection> {
    let form = form(attributes.find(Defined::DataContentType))?;
    match (
        attributes.take(Defined::Data),
        attributes.take(Defined::DataBase64),
    ) {
        (Some(_), Some(_)) => Err(invalid(
            "`data` and `data_base64` stand side by side: send one",
        )),
        (None, None) => {
            let detail = "`data` is missing";
            Err(Rejection::new(Reason::EnvelopeMissingData, detail))
        }
        // A string is a JSON string, not a text to be parsed (JSON format, 3.1.2).
        (Some(data), None) if form.is_json || data.is_string() => Ok(data),
        (Some(_), None) => Err(invalid(
            "`data` must be a string when `datacontenttype` is not JSON",
        )),
        (None, Some(encoded)) => decode(&encoded, form),
    }
}

/// What `datacontenttype` says of the data.
#[derive(Debug, Clone, Copy)]
struct Form {
    is_json: bool,
    is_utf8: bool,
}

fn form(attribute: Option<&Value>) -> Result<Form, Rejection> {
    let Some(attribute) = attribute else {
        // What is said of data without one (JSON format, 3.1.1).
        return Ok(Form {
            is_json: true,
            is_utf8: true,
        });
    };
    let media_type = attribute
        .as_str()
        .map(str::as_bytes)
        .and_then(MediaType::parse);
    let media_type = media_type.ok_or_else(|| {
        let detail = "`datacontenttype` must be a media type, such as application/json";
        Rejection::new(Reason::EnvelopeInvalidAttribute, detail)
    })?;
    Ok(Form {
        is_json: media_type.is_json(),
        is_utf8: media_type.is_utf8(),
    })
}

/// Base64 with the alphabet, the padding and the zero bits of RFC 4648, 3 and 4; what it holds is
/// read like any JSON that comes in.
fn decode(encoded: &Value, form: Form) -> Result<Value, Rejection> {
    if !form.is_json || !form.is_utf8 {
        return Err(invalid(
            "`data_base64` must hold JSON in UTF-8, and `datacontenttype` says that it does not",
        ));
    }
    let decoded = encoded.as_str().and_then(|text| STANDARD.decode(text).ok());
    let decoded = decoded.ok_or_else(|| {
        invalid(
            "`data_base64` must be base64 of RFC 4648, section 4: padded, without blanks, with `+` \
             and `/`",
        )
    })?;
    json::read_data(&decoded).map_err(|error| {
        let Rejection { reason, detail } = error.into();
        Rejection::new(reason, format!("`data_base64`, once decoded: {detail}"))
    })
}

const fn invalid(detail: &'static str) -> Rejection {
    Rejection {
        reason: Reason::EnvelopeInvalidData,
        detail: std::borrow::Cow::Borrowed(detail),
    }
}
