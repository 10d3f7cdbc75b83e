//! A route: what is asked for, how it is recorded, and what answers.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

use crate::audit::Audited;

/// A route. None can be made that does not say how it is recorded.
#[derive(Debug)]
pub(super) struct Route<S> {
    #[cfg_attr(not(test), expect(dead_code, reason = "the list is walked by a test"))]
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    #[cfg_attr(not(test), expect(dead_code, reason = "the list is walked by a test"))]
    pub(super) audited: Audited,
    handler: MethodRouter<S>,
}

macro_rules! methods {
    ($($name:ident: $method:ident;)+) => {
        $(pub(super) fn $name<H, T, S>(path: &'static str, audited: Audited, handler: H) -> Route<S>
        where
            H: Handler<T, S>,
            T: 'static,
            S: Clone + Send + Sync + 'static,
        {
            Route {
                method: stringify!($method),
                path,
                audited,
                handler: on(MethodFilter::$method, handler),
            }
        })+
    };
}

methods! {
    get: GET;
    post: POST;
    put: PUT;
    patch: PATCH;
    delete: DELETE;
}

/// Serves the routes.
pub(super) fn serve<S: Clone + Send + Sync + 'static>(
    routes: impl IntoIterator<Item = Route<S>>,
) -> Router<S> {
    let routes = routes.into_iter();
    routes.fold(Router::new(), |router, route| {
        router.route(route.path, route.handler)
    })
}
