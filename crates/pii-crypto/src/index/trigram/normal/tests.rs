//! What the normal form of names makes one.

use proptest::prelude::*;

use super::*;

#[test]
fn what_people_type_for_one_name_is_one() {
    for (given, expected) in [
        ("John Smith", "john smith"),
        ("  JOHN\u{a0}\tSMITH ", "john smith"),
        ("João", "joao"),
        ("Joa\u{303}o", "joao"),
        ("MÜLLER", "muller"),
        ("Weiß", "weiss"),
        ("O’Brien", "o brien"),
        ("O'Brien", "o brien"),
        ("Anne-Marie", "anne marie"),
        ("Ｊｏｈｎ", "john"),
        ("ﬁona", "fiona"),
        ("ΟΔΟΣ", "οδοσ"),
        ("Οδός", "οδοσ"),
        ("Işık", "isik"),
        ("Фёдор", "федор"),
        ("राम", "राम"),
        ("शिव", "शिव"),
        ("می\u{200c}رزا", "میرزا"),
        ("王芳", "王芳"),
        ("--", ""),
    ] {
        assert_eq!(*normal(given), expected, "{given}");
    }
}

proptest! {
    #[test]
    fn the_normal_form_is_its_own(text in "\\PC{0,12}") {
        let once = normal(&text);
        prop_assert_eq!(normal(&once), once);
    }
}
