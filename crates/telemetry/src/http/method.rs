//! Methods by the names that the semantic conventions know.

use http::Method;

/// What the conventions call a method that they do not know.
pub(super) const OTHER_METHOD: &str = "_OTHER";

/// The methods of RFC 9110 and RFC 5789; everything else is one label.
pub(super) fn known_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "CONNECT" => "CONNECT",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "PATCH" => "PATCH",
        _ => OTHER_METHOD,
    }
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
