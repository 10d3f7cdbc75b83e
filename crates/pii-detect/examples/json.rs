//! Says where in a JSON text personal data stands, without showing it.

use portcullis_pii_detect::{Detector, JsonError};

fn main() -> Result<(), JsonError> {
    let json = br#"{
        "order": 4155552671,
        "buyer": {"mail": "bob\u0040example.com", "card": 4111111111111111},
        "notes": ["rang twice", "call +49 170 1234567"]
    }"#;
    let detector = Detector::standard();
    let mut places = Vec::new();
    for found in detector.find_in_json(json) {
        let found = found?;
        places.push(format!("{} at {}", found.finding.kind, found.pointer));
    }
    assert_eq!(
        places,
        [
            "email at /buyer/mail",
            "payment_card at /buyer/card",
            "phone at /notes/1",
        ]
    );
    Ok(())
}
