//! What the compiler says of what is wrong.

#[test]
fn what_is_wrong_is_told_at_its_place() {
    trybuild::TestCases::new().compile_fail("tests/refused/*.rs");
}
