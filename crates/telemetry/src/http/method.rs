//! Methods by the names that the semantic conventions know.

use http::Method;

/// What the conventions call a method that they do not know.
pub(super) const OTHER_METHOD: &str = "_OTHER";

/// Every value that [`known_method`] has: the methods of RFC 9110 and RFC 5789, and one for everything else.
pub(super) const METHODS: [&str; 10] = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "CONNECT",
    "OPTIONS",
    "TRACE",
    "PATCH",
    OTHER_METHOD,
];

/// A method as a label.
pub(super) fn known_method(method: &Method) -> &'static str {
    let mut known = METHODS.into_iter();
    known
        .find(|known| *known == method.as_str())
        .unwrap_or(OTHER_METHOD)
}

/// The conventions name a span after the method that they know, or HTTP, and the route or template.
pub(super) fn span_name(known_method: &'static str, route: Option<&str>) -> String {
    let verb = if known_method == OTHER_METHOD {
        "HTTP"
    } else {
        known_method
    };
    route.map_or_else(|| verb.to_owned(), |route| format!("{verb} {route}"))
}
