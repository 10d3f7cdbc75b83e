//! Every example does what it says.

#[path = "../examples/memory_store.rs"]
mod memory_store;

#[cfg(feature = "tower")]
#[path = "../examples/axum_limits.rs"]
mod axum;

#[cfg(feature = "tower")]
#[path = "../examples/tenant_layer.rs"]
mod tenant_layer;

#[test]
fn memory_store_runs() {
    memory_store::main().unwrap();
}

#[cfg(feature = "tower")]
#[test]
fn axum_runs() {
    axum::main().unwrap();
}

#[cfg(feature = "tower")]
#[test]
fn tenant_layer_runs() {
    tenant_layer::main().unwrap();
}
