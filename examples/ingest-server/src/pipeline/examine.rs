//! The stages that need nothing but the request itself, for the fuzz targets.

use axum::body::Body;
use http::Request;
use time::OffsetDateTime;

use super::{
    Intake, frame, parse,
    rejection::Rejection,
    validate::{self, CleanTexts, Valid},
};
use crate::{detection::DetectionPolicies, schemas::Schemas};

/// Takes requests through frame, parse and validate.
#[derive(Debug)]
pub(crate) struct Examiner {
    schemas: Schemas,
    detection: DetectionPolicies,
    received_at: OffsetDateTime,
}

impl Examiner {
    /// For requests that all come in at one time.
    pub(crate) fn new(schemas: Schemas, received_at: OffsetDateTime) -> Self {
        Self {
            schemas,
            detection: DetectionPolicies::default(),
            received_at,
        }
    }

    /// What becomes of each item of a request.
    ///
    /// # Errors
    /// The rejection of the request as a whole.
    pub(crate) async fn examine(
        &self,
        intake: Intake,
        request: Request<Body>,
    ) -> Result<Vec<Result<Valid, Rejection>>, Rejection> {
        let headers = request.headers().clone();
        let text = frame::read_body(request).await?;
        let frames = frame::frames_of(intake, &headers, &text)?;
        let detection = self.detection.of_tenant("fuzzing");
        let mut clean = CleanTexts::of(frames.len());
        let items = frames.into_iter().enumerate().map(|(index, frame)| {
            let (_, parsed) = parse::parse_frame(intake, index, frame);
            validate::check(
                &self.schemas,
                &detection,
                self.received_at,
                parsed?,
                &mut clean,
                |_, _| {},
            )
        });
        Ok(items.collect())
    }
}
