//! Where the service is asked.

use std::net::IpAddr;

use reqwest::Url;

/// The address of the public listener, or of what stands before it.
#[derive(Debug)]
pub(super) struct BaseUrl {
    base: String,
    is_encrypted: bool,
}

/// An address cannot be asked. It is not repeated: it may have a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BaseUrlError {
    #[error("must begin with `https://`, or with `http://` on this machine")]
    Scheme,
    #[error("is not an address, such as https://ingest.example.com")]
    Form,
    #[error("must have no name or password in it: the keys stand in a file")]
    Credentials,
    #[error("must end with the host, its port or a path: leave out what begins with `?` or `#`")]
    Rest,
    #[error(
        "would show the keys without encryption to another machine: use `https://`, or add \
         --allow-plain-http in a network that nobody listens in"
    )]
    Plain,
}

impl BaseUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// It is none, or the keys must not go there.
    pub(super) fn parse(text: &str, allow_plain: bool) -> Result<Self, BaseUrlError> {
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err(BaseUrlError::Scheme);
        }
        let url = Url::parse(text).map_err(|_| BaseUrlError::Form)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Rest);
        }
        let is_encrypted = url.scheme() == "https";
        if !is_encrypted && !allow_plain && !is_this_machine(&url) {
            return Err(BaseUrlError::Plain);
        }
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            is_encrypted,
        })
    }

    /// The address of a path below it.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_over_tls_or_stay_on_this_machine() {
        for text in [
            "https://a.example",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://localhost",
        ] {
            assert!(BaseUrl::parse(text, false).is_ok(), "{text}");
        }
        for text in [
            "http://a.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            assert_eq!(
                BaseUrl::parse(text, false).unwrap_err(),
                BaseUrlError::Plain,
                "{text}"
            );
            assert!(BaseUrl::parse(text, true).is_ok(), "{text}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_meant_is_refused_by_what_is_wrong_with_it() {
        for (text, error) in [
            ("a.example", BaseUrlError::Scheme),
            ("127.0.0.1:8080", BaseUrlError::Scheme),
            ("ftp://a.example", BaseUrlError::Scheme),
            ("https://", BaseUrlError::Form),
            ("https://name:word@a.example", BaseUrlError::Credentials),
            ("https://a.example/?a=b", BaseUrlError::Rest),
            ("https://a.example/#a", BaseUrlError::Rest),
        ] {
            assert_eq!(BaseUrl::parse(text, false).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn a_path_is_one_below_the_address() {
        for text in ["https://a.example/in", "https://a.example/in/"] {
            let place = BaseUrl::parse(text, false).unwrap();
            assert_eq!(place.at("/v1/events"), "https://a.example/in/v1/events");
        }
    }
}
